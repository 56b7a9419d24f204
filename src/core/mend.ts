/** Makes single documents of a target what the source holds, as far as both are still as they were seen. */
import type { CollectionInfo, Source, Target } from "../connectors/connector.ts";
import type { Doc } from "../document.ts";
import type { Side } from "../reporting/reporter.ts";
import { applyChanges, type Change, type ChangeOptions, type Outcome } from "./change.ts";
import { sideOf } from "./diff/suspect.ts";
import type { PlanRow, RepairAction } from "./repair-plan.ts";

/** Documents of a chunk, and their bytes on both sides. */
const CHUNK_DOCUMENTS = 500;
const CHUNK_BYTES = 8_000_000;
/** Removals free unique values that replacements need, and these the ones that new documents need. */
const ORDER: readonly RepairAction[] = ["remove", "replace", "insert"];

export interface Repairing extends ChangeOptions {
  readonly source: Source;
  readonly target: Target;
}

export interface MendedCollection {
  changed: number;
  unchanged: number;
  conflicts: number;
  skipped: number;
}

export interface Mended {
  readonly collections: ReadonlyMap<string, MendedCollection>;
  /** What was left as it is, by key, with the reason; the first few. */
  readonly items: readonly { readonly key: string; readonly reason: string }[];
  readonly itemCount: number;
}

/** More are counted. */
const MOST_ITEMS = 1_000;

/** `rows` gives the plan from its beginning, each time that it is called. */
export async function mend(
  repairing: Repairing,
  rows: () => AsyncIterable<PlanRow>,
  options: { readonly delete: boolean },
): Promise<Mended> {
  const listed = new Map(
    (await repairing.target.list(repairing.signal)).collections.map((info) => [info.name, info]),
  );
  const mending = new Mending(repairing, listed);
  for (const action of ORDER) {
    for await (const row of rows()) {
      if (row.do !== action) continue;
      if (action === "remove" && !options.delete) mending.skip(row);
      else await mending.add(row);
    }
    await mending.flush();
  }
  return mending;
}

class Mending implements Mended {
  readonly collections = new Map<string, MendedCollection>();
  readonly items: { key: string; reason: string }[] = [];
  itemCount = 0;
  readonly #repairing: Repairing;
  readonly #listed: ReadonlyMap<string, CollectionInfo>;
  #rows: PlanRow[] = [];
  #bytes = 0;

  constructor(repairing: Repairing, listed: ReadonlyMap<string, CollectionInfo>) {
    this.#repairing = repairing;
    this.#listed = listed;
  }

  skip(row: PlanRow): void {
    this.#of(row).skipped++;
  }

  async add(row: PlanRow): Promise<void> {
    const bytes = (row.source?.bytes ?? 0) + (row.target?.bytes ?? 0);
    const [first] = this.#rows;
    const other =
      first !== undefined &&
      (first.collection !== row.collection || first.targetCollection !== row.targetCollection);
    const full = this.#rows.length >= CHUNK_DOCUMENTS || this.#bytes + bytes > CHUNK_BYTES;
    if (this.#rows.length > 0 && (other || full)) await this.flush();
    this.#rows.push(row);
    this.#bytes += bytes;
  }

  async flush(): Promise<void> {
    const rows = this.#rows;
    this.#rows = [];
    this.#bytes = 0;
    const [first] = rows;
    if (first === undefined) return;
    const info = this.#listed.get(first.targetCollection);
    if (info === undefined || info.kind !== "collection") {
      for (const row of rows) this.#conflict(row, "the target has no such collection any more");
      return;
    }
    await this.#apply(rows, first.collection, info);
  }

  async #apply(rows: readonly PlanRow[], collection: string, info: CollectionInfo): Promise<void> {
    const { source, signal } = this.#repairing;
    const ids = rows.map(({ id }) => id);
    const now = await source.find(collection, ids, signal);
    const due = new Map<Change, PlanRow>();
    for (const row of rows) {
      const objection = source.canFind(row.id)
        ? objectionTo(row, now.get(row.id.key))
        : "its _id cannot be asked for";
      if (objection !== undefined) this.#conflict(row, objection);
      else due.set(changeOf(row, now.get(row.id.key)), row);
    }
    const { target, ...options } = this.#repairing;
    for (const outcome of await applyChanges(target, info, [...due.keys()], options))
      this.#take(due.get(outcome.change), outcome);
  }

  #take(row: PlanRow | undefined, { result, reason = "" }: Outcome): void {
    if (row === undefined) throw new RangeError("an outcome of no row");
    if (result === "changed") this.#of(row).changed++;
    else if (result === "unchanged") this.#of(row).unchanged++;
    else this.#conflict(row, reason);
  }

  #conflict(row: PlanRow, reason: string): void {
    this.#of(row).conflicts++;
    this.itemCount++;
    if (this.items.length < MOST_ITEMS)
      this.items.push({ key: `document ${row.targetCollection}/${row.printed}`, reason });
  }

  #of({ targetCollection }: PlanRow): MendedCollection {
    const known = this.collections.get(targetCollection);
    if (known !== undefined) return known;
    const fresh = { changed: 0, unchanged: 0, conflicts: 0, skipped: 0 };
    this.collections.set(targetCollection, fresh);
    return fresh;
  }
}

/** A plan is a list of what was looked at: where the source is another by now, nobody has looked at that. */
function objectionTo({ source }: PlanRow, now: Doc | undefined): string | undefined {
  if (isSide(source, now)) return undefined;
  if (now === undefined) return "the source no longer has it";
  return source === undefined ? "the source has it by now" : "the source has another version of it by now";
}

function changeOf({ id, target }: PlanRow, wanted: Doc | undefined): Change {
  return {
    id: wanted?.id ?? id,
    ...(wanted === undefined ? {} : { wanted: wanted.bytes }),
    ...(target === undefined ? {} : { bytes: target.bytes }),
    accepts: (found) => isSide(target, found),
  };
}

function isSide(side: Side | undefined, found: Doc | undefined): boolean {
  return side?.sha256 === sideOf(found)?.sha256;
}
