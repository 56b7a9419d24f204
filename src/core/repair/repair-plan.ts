/** What a repair is to do, as lines of text that people can read and take lines out of. When it is read again every field is validated. */
import { createHash } from "node:crypto";
import type { CollectionInfo } from "../../connectors/collection.ts";
import type { DocumentId } from "../../model/document.ts";
import { DualsyncError } from "../../model/errors.ts";
import type { Difference, Side } from "../../model/reporter.ts";
import { count, date, idFromJson, idToJson, type Json, list, object, text } from "../progress/saved-json.ts";

const FORMAT = 1;

/** `insert`: the target lacks the document. `replace`: it holds another one. `remove`: only the target has it. */
export type RepairAction = "insert" | "replace" | "remove";

export interface PlanHead {
  /** The comparison that found it. */
  readonly run: string;
  /** Labels of the stores. */
  readonly source: string;
  readonly target: string;
  readonly created: Date;
  /** The collections that were compared. */
  readonly collections: readonly PlanCollection[];
}

/** Two collections, distinguished from later ones of the same names; absent where a store cannot. */
export interface PlanCollection {
  readonly source: string;
  readonly target: string;
  readonly sourceUid?: string | undefined;
  readonly targetUid?: string | undefined;
}

/** One document, as it was seen to differ. It holds no values but its `_id`. */
export interface PlanRow {
  readonly do: RepairAction;
  readonly collection: string;
  readonly targetCollection: string;
  readonly id: DocumentId;
  /** The id for people. */
  readonly printed: string;
  readonly source: Side | undefined;
  readonly target: Side | undefined;
}

/** A plan as it is carried out. */
export interface RepairPlan {
  /** The collections that were compared. */
  readonly collections: readonly PlanCollection[];
  /** The plan's rows from its beginning, each time that it is called. */
  rows(): AsyncIterable<PlanRow>;
}

/** How many documents of a collection a plan would have changed in which way. */
export type PlannedChanges = Readonly<Record<RepairAction, number>>;

/** Takes the lines of a plan, which is there as a whole or not at all. */
export interface LineWriter {
  write(text: string): Promise<void>;
  commit(): Promise<void>;
  /** Gives up what was not committed; no harm after `commit`. */
  discard(): Promise<void>;
}

/** The lines of a plan, without their ends, from its beginning each time that it is called. */
export type LineReader = () => AsyncIterable<string>;

const ACTIONS: Readonly<Record<string, RepairAction>> = {
  missing: "insert",
  extra: "remove",
  changed: "replace",
  idtype: "replace",
};

/** Writes a plan as differences are found. */
export class RepairPlanWriter {
  readonly #lines: LineWriter;
  readonly #run: string;
  #rows = 0;

  private constructor(lines: LineWriter, run: string) {
    this.#lines = lines;
    this.#run = run;
  }

  static async create(lines: LineWriter, head: PlanHead): Promise<RepairPlanWriter> {
    await lines.write(headLine(head));
    return new RepairPlanWriter(lines, head.run);
  }

  /** Takes down what can be repaired: documents that one side lacks, or that differ. */
  async row(difference: Difference, id: DocumentId): Promise<void> {
    const action = ACTIONS[difference.kind];
    if (action === undefined) return;
    const { collection, targetCollection, source, target } = difference;
    const printed = difference.id ?? "";
    await this.#lines.write(
      rowLine(this.#run, { do: action, collection, targetCollection, id, printed, source, target }),
    );
    this.#rows++;
  }

  /** `complete`: everything that was to be compared was. */
  async commit(complete: boolean): Promise<void> {
    await this.#lines.write(endLine(this.#run, this.#rows, complete));
    await this.#lines.commit();
  }

  /** Removes what was not committed. */
  async discard(): Promise<void> {
    await this.#lines.discard();
  }
}

/** Reads a plan over and over; each time every line is checked. */
export class RepairPlanReader implements RepairPlan {
  readonly head: PlanHead;
  /** By the names of the collections in the target. */
  readonly changes: ReadonlyMap<string, PlannedChanges>;
  readonly #lines: LineReader;
  readonly #name: string;

  private constructor(
    lines: LineReader,
    name: string,
    head: PlanHead,
    changes: ReadonlyMap<string, PlannedChanges>,
  ) {
    this.#lines = lines;
    this.#name = name;
    this.head = head;
    this.changes = changes;
  }

  /** Reads it to its end before anything is done by it: a damaged one does nothing. `name` is for people. */
  static async read(lines: LineReader, name: string): Promise<RepairPlanReader> {
    let head: PlanHead | undefined;
    const changes = new Map<string, Record<RepairAction, number>>();
    for await (const part of readPlan(lines(), name)) {
      if (isHead(part)) {
        head = part;
        continue;
      }
      const counts = changes.get(part.targetCollection) ?? { insert: 0, replace: 0, remove: 0 };
      counts[part.do]++;
      changes.set(part.targetCollection, counts);
    }
    if (head === undefined) throw new DualsyncError("bug", "A plan without a head was read.");
    return new RepairPlanReader(lines, name, head, changes);
  }

  get collections(): PlanHead["collections"] {
    return this.head.collections;
  }

  async *rows(): AsyncGenerator<PlanRow> {
    for await (const part of readPlan(this.#lines(), this.#name)) {
      if (!isHead(part)) yield part;
      else if (part.run !== this.head.run) throw this.#replaced();
    }
  }

  #replaced(): DualsyncError {
    return new DualsyncError("local", `${this.#name} was replaced by another plan while it was applied.`, {
      hint: "What was repaired so far is kept. Run the same command again: it shows the new plan.",
    });
  }
}

/** The two collections of a comparison, as a plan names them. */
export function planCollection({
  from,
  to,
}: {
  readonly from: CollectionInfo;
  readonly to: CollectionInfo;
}): PlanCollection {
  return {
    source: from.name,
    target: to.name,
    ...(from.uid === undefined ? {} : { sourceUid: from.uid }),
    ...(to.uid === undefined ? {} : { targetUid: to.uid }),
  };
}

/** Each line has a sum of its own, tied to the plan: lines may be taken out, and none can be altered unseen. */
export function headLine(head: PlanHead): string {
  const { run, source, target, created, collections } = head;
  const body = { dualsync: "repair plan", format: FORMAT, run, source, target, created, collections };
  return summed("", { ...body, created: created.toISOString() });
}

export function rowLine(run: string, row: PlanRow): string {
  return summed(run, {
    do: row.do,
    collection: row.collection,
    ...(row.targetCollection === row.collection ? {} : { targetCollection: row.targetCollection }),
    id: row.printed,
    source: row.source,
    target: row.target,
    key: idToJson(row.id),
  });
}

/** Without it the plan was not written to its end. `complete`: everything that was to be compared was. */
export function endLine(run: string, rows: number, complete: boolean): string {
  return summed(run, { end: true, rows, complete });
}

/**
 * Reads a plan line by line. Its first value is the head.
 * @throws DualsyncError `local` that names `path`
 */
export async function* readPlan(
  lines: AsyncIterable<string>,
  path: string,
): AsyncGenerator<PlanHead | PlanRow, undefined> {
  let head: PlanHead | undefined;
  let ended = false;
  let at = 0;
  for await (const content of lines) {
    at++;
    if (content === "") continue;
    if (ended) throw damaged(`${path} continues after its last line (line ${at}).`);
    const where = `line ${at} of ${path}`;
    if (head === undefined) {
      head = attempt(() => headOf(content, path), `${path} is not a dualsync plan.`);
      yield head;
      continue;
    }
    const row = readRow(content, head.run, where);
    if (row === undefined) ended = true;
    else yield row;
  }
  if (head === undefined) throw damaged(`${path} is empty.`);
  if (!ended) throw damaged(`${path} is incomplete: it was not finished or is truncated.`);
  return undefined;
}

/** Undefined for the end. */
function readRow(content: string, run: string, where: string): PlanRow | undefined {
  return attempt(() => {
    const parsed = unaltered(run, content, parse(content));
    return parsed.end === true ? undefined : rowOf(parsed);
  }, `${where} was changed or is damaged.`);
}

export function isHead(part: PlanHead | PlanRow): part is PlanHead {
  return "created" in part;
}

function headOf(content: string, path: string): PlanHead {
  const { dualsync, format, ...body } = parse(content);
  if (dualsync !== "repair plan") throw new TypeError("dualsync");
  if (count(format) > FORMAT)
    throw damaged(`${path} was written by a newer version of dualsync (format ${String(format)}).`);
  attempt(
    () => unaltered("", content, { dualsync, format, ...body }),
    `line 1 of ${path} was changed or is damaged.`,
  );
  return {
    run: text(body.run),
    source: text(body.source),
    target: text(body.target),
    created: date(body.created),
    collections: list(body.collections).map(collectionOf),
  };
}

function collectionOf(content: unknown): PlanCollection {
  const { source, target, sourceUid, targetUid } = object(content);
  return {
    source: text(source),
    target: text(target),
    ...(sourceUid === undefined ? {} : { sourceUid: text(sourceUid) }),
    ...(targetUid === undefined ? {} : { targetUid: text(targetUid) }),
  };
}

function rowOf(body: Json): PlanRow {
  const collection = text(body.collection);
  const row: PlanRow = {
    do: actionOf(body.do),
    collection,
    targetCollection: body.targetCollection === undefined ? collection : text(body.targetCollection),
    id: idFromJson(body.key),
    printed: text(body.id),
    source: sideOf(body.source),
    target: sideOf(body.target),
  };
  const fits =
    (row.source === undefined) === (row.do === "remove") &&
    (row.target === undefined) === (row.do === "insert");
  if (!fits) throw new TypeError("sides");
  return row;
}

function actionOf(content: unknown): RepairAction {
  if (content === "insert" || content === "replace" || content === "remove") return content;
  throw new TypeError("do");
}

function sideOf(content: unknown): Side | undefined {
  if (content === undefined) return undefined;
  const { sha256, bytes } = object(content);
  return { sha256: text(sha256), bytes: count(bytes) };
}

function summed(run: string, body: Json): string {
  return `${JSON.stringify({ ...body, sum: sumOf(run, body) })}\n`;
}

function sumOf(run: string, body: Json): string {
  return createHash("sha256")
    .update(JSON.stringify([run, body]))
    .digest("hex")
    .slice(0, 16);
}

/** The line, where it is to the byte as it was written: what reads alike (`\u000A` and `\u000a`) was altered, too. */
function unaltered(run: string, content: string, parsed: Json): Json {
  const { sum: _, ...body } = parsed;
  if (`${content}\n` !== summed(run, body)) throw new TypeError("sum");
  return body;
}

function parse(content: string): Json {
  return object(JSON.parse(content));
}

function attempt<T>(read: () => T, message: string): T {
  try {
    return read();
  } catch (error) {
    throw error instanceof DualsyncError ? error : damaged(message, error);
  }
}

function damaged(message: string, cause?: unknown): DualsyncError {
  return new DualsyncError("local", message, {
    hint: "Nothing was changed. Write a new plan: dualsync diff --plan FILE. Lines may be removed from a plan, but not changed.",
    cause,
  });
}
