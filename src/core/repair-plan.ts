/** What a repair is to do, as lines of text that people can read and take lines out of; and read again, believing nothing. */
import { createHash } from "node:crypto";
import type { DocumentId } from "../document.ts";
import { DualsyncError } from "../errors.ts";
import type { Side } from "../reporting/reporter.ts";
import { count, date, idFromJson, idToJson, type Json, object, text } from "./saved-json.ts";

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

export function headLine({ run, source, target, created }: PlanHead): string {
  return line({ dualsync: "repair plan", format: FORMAT, run, source, target, created });
}

/** Each line has a sum of its own, tied to the plan: lines may be taken out, and none can be altered unseen. */
export function rowLine(run: string, row: PlanRow): string {
  const body = {
    do: row.do,
    collection: row.collection,
    ...(row.targetCollection === row.collection ? {} : { targetCollection: row.targetCollection }),
    id: row.printed,
    source: row.source,
    target: row.target,
    key: idToJson(row.id),
  };
  return line({ ...body, sum: sumOf(run, body) });
}

/** Without it the plan was not written to its end. */
export function endLine(rows: number, complete: boolean): string {
  return line({ end: true, rows, complete });
}

/** Reads a plan line by line. Its first value is the head. @throws DualsyncError `local` that names `path` */
export async function* readPlan(
  lines: AsyncIterable<string>,
  path: string,
): AsyncGenerator<PlanHead | PlanRow, undefined> {
  let head: PlanHead | undefined;
  let ended = false;
  let at = 0;
  for await (const content of lines) {
    at++;
    if (content.trim() === "") continue;
    const where = `line ${at} of ${path}`;
    if (ended) throw damaged(`${path} goes on behind its end (line ${at}).`);
    const parsed = parse(content, where);
    if (head === undefined) {
      head = attempt(() => headOf(parsed, path), `${path} is not a plan of dualsync.`);
      yield head;
      continue;
    }
    if (parsed.end === true) ended = true;
    else yield readRow(parsed, head.run, where);
  }
  if (head === undefined) throw damaged(`${path} is empty.`);
  if (!ended) throw damaged(`${path} was not written to its end, or is cut off.`);
  return undefined;
}

function readRow(parsed: Json, run: string, where: string): PlanRow {
  return attempt(() => rowOf(parsed, run), `${where} was altered or is damaged.`);
}

export function isHead(part: PlanHead | PlanRow): part is PlanHead {
  return "created" in part;
}

function headOf(parsed: Json, path: string): PlanHead {
  if (parsed.dualsync !== "repair plan") throw new TypeError("dualsync");
  if (count(parsed.format) > FORMAT)
    throw damaged(`${path} was written by a newer version of dualsync (format ${String(parsed.format)}).`);
  return {
    run: text(parsed.run),
    source: text(parsed.source),
    target: text(parsed.target),
    created: date(parsed.created),
  };
}

function rowOf(parsed: Json, run: string): PlanRow {
  const { sum, ...body } = parsed;
  if (sum !== sumOf(run, body)) throw new TypeError("sum");
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

function line(content: Json): string {
  return `${JSON.stringify(content)}\n`;
}

function sumOf(run: string, body: Json): string {
  return createHash("sha256")
    .update(JSON.stringify([run, body]))
    .digest("hex")
    .slice(0, 16);
}

function parse(content: string, where: string): Json {
  return attempt(() => object(JSON.parse(content)), `${where} is damaged.`);
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
    hint: "Nothing was changed. Write the plan anew: dualsync diff --plan FILE. Lines may be taken out of it, not altered.",
    cause,
  });
}
