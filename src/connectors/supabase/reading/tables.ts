/** The tables of a project, as collections. */
import { createHash } from "node:crypto";
import type { NotCopied } from "../../../model/collection.ts";
import { DualsyncError } from "../../../model/errors.ts";
import type { CollectionInfo, Listing } from "../../collection.ts";
import { isControlName } from "../../control/control-name.ts";
import { isTooMuch, NO_TABLE, refusalCode } from "../api/fault.ts";
import { narrowed } from "../api/one-table.ts";
import type { Project } from "../api/project.ts";
import { isOrdered } from "../mapping/key.ts";
import { mappingProblem } from "../mapping/layout.ts";
import { type Catalog, readCatalog } from "../schema/catalog.ts";
import { readFacts, readOid, refined } from "../schema/catalog-facts.ts";
import type { Table } from "../schema/table.ts";
import { exactnessOf } from "./exact/exactness.ts";
import { sampleOf } from "./sample.ts";
import { isView, mayBeView, NO_COLUMN, readOnly } from "./views.ts";

/** Columns that say when a row was changed last, as applications name them. A time without its zone says it to nobody. */
const CHANGED = ["updated_at", "updatedAt"];
const UNASKED = "left out, so it is not known whether it holds rows of its own";
const HIDDEN =
  "row-level security hides rows from this key: what it sees may not be the whole table. Use a secret key (sb_secret_…) or service_role key, which bypasses all policies";
/** Rows of each table that are looked at, for an idea of their size. */
const SAMPLE = 20;

/** SQLSTATE of a missing permission. */
const NO_RIGHT = "42501";

/** Tables that are looked at at once, a small project has ten connections for everybody. */
const AT_ONCE = 3;

/** Knows every table that was listed, and asks the project for one that was not. */
export class Tables {
  readonly #project: Project;
  #known = new Map<string, Table>();
  #functions: ReadonlySet<string> = new Set();
  /** What the project has answered, by name and columns. */
  readonly #areViews = new Map<string, boolean>();
  /** What is not selected is not looked at, not even for the sake of another table. Undefined before the first listing. */
  #selects: ((name: string) => boolean) | undefined;
  /** Also those that are gone by now: documents made of their rows are still classified. */
  readonly #seen = new Map<string, Table>();

  constructor(project: Project) {
    this.#project = project;
  }

  /** Of those that were read already. */
  known(name: string): Table {
    const table = this.#known.get(name) ?? this.#seen.get(name);
    if (table === undefined) throw new RangeError(`table ${name} was not listed`);
    return table;
  }

  /** Undefined: this key saw no such table when it was read last. */
  listed(name: string): Table | undefined {
    return this.#known.get(name);
  }

  /** Whether the project has a function of this name, as far as was read already. */
  hasFunction(name: string): boolean {
    return this.#functions.has(name);
  }

  /** Undefined: this key sees no such table. */
  async lookUp(name: string, signal: AbortSignal): Promise<Table | undefined> {
    if (!this.#known.has(name)) await this.read(signal);
    return this.#known.get(name);
  }

  async table(name: string, signal: AbortSignal): Promise<Table> {
    const table = await this.lookUp(name, signal);
    if (table !== undefined) return table;
    const { role, label } = this.#project;
    const reason = await this.hiddenReason(name, signal);
    throw reason === undefined
      ? new DualsyncError(role, `${label} has no table ${name} that this key can see.`, {
          hint: "Was it dropped or renamed? It does not count as empty.",
        })
      : new DualsyncError(role, `${label} no longer shows the table ${name}: ${reason}`, {
          ofOneCollection: true,
          reason: "hidden",
        });
  }

  /** As the project describes them now, without dualsync's own. */
  async read(signal: AbortSignal): Promise<Catalog> {
    const found = await readCatalog(this.#project, signal);
    const isOthers = ({ name }: { readonly name: string }): boolean => !isControlName(name);
    const { facts, settings } = await readFacts(this.#project, found, signal);
    const described = found.tables.filter(isOthers).map((table) => refined(table, facts.get(table.name)));
    const tables = await inTurns(described, (table) => this.#kindOf(table, signal));
    this.#known = new Map(tables.map((table) => [table.name, table]));
    for (const [name, table] of this.#known) this.#seen.set(name, table);
    this.#functions = found.functions;
    const selected = tables.filter(({ name }) => this.#selects?.(name) ?? true);
    exactnessOf(this.#project).know(selected, settings);
    return { ...found, tables, unusable: found.unusable.filter(isOthers) };
  }

  /** The table, and whether it is a view where the description leaves that open: asked once, as long as it looks the same. */
  async #kindOf(table: Table, signal: AbortSignal): Promise<Table> {
    if (!mayBeView(table) || this.#selects?.(table.name) !== true) return table;
    const shape = uidOf("", table);
    const found =
      this.#areViews.get(shape) ?? (await this.#ofOne(() => isView(this.#project, table, signal), signal));
    if (typeof found !== "boolean") return table;
    this.#areViews.set(shape, found);
    return { ...table, isView: found, writable: table.writable && !found };
  }

  /** Everything that can be copied, and what cannot, with the reason; each sorted by name. See `Reader.list`. */
  async list(signal: AbortSignal, selects: (name: string) => boolean = () => true): Promise<Listing> {
    this.#selects = selects;
    const { tables, unusable } = await this.read(signal);
    const others = await inTurns(
      tables.filter(({ writable }) => !writable),
      async (table) =>
        selects(table.name) ? await this.#readOnly(table, signal) : { name: table.name, reason: UNASKED },
    );
    const own = tables.filter(({ writable }) => writable);
    const looks = await inTurns(
      own.filter(({ name }) => selects(name)),
      async (table) => {
        const problem = table.hidesRows === true ? HIDDEN : mappingProblem(table);
        return { name: table.name, found: problem ?? (await this.#look(table, signal)) };
      },
    );
    const unasked = own.filter(({ name }) => !selects(name));
    const unselected = unasked.map((table) => ({ name: table.name, uid: uidOf(this.#project.label, table) }));
    const collections = looks.flatMap(({ found }) => (typeof found === "string" ? [] : [found]));
    const notCopied: readonly NotCopied[] = [
      ...unusable.map((one) => ({ ...one, isLoss: true as const })),
      ...others,
      ...looks.flatMap(({ name, found }) =>
        typeof found === "string" ? [{ name, reason: found, isLoss: true as const }] : [],
      ),
    ];
    return {
      collections: collections.sort(byName),
      notCopied: notCopied.toSorted(byName),
      unselected: unselected.sort(byName),
    };
  }

  /** What takes no rows; what is wrong with one alone is a loss. */
  async #readOnly(table: Table, signal: AbortSignal): Promise<NotCopied> {
    const { name } = table;
    const found = await this.#ofOne(() => readOnly(this.#project, table, signal), signal);
    return typeof found === "string" ? { name, reason: found, isLoss: true } : found;
  }

  /** @returns why it cannot be read, where that is so of this table alone */
  async #look(table: Table, signal: AbortSignal): Promise<CollectionInfo | string> {
    return await this.#ofOne(() => this.#info(table, signal), signal);
  }

  /** What the work comes to, or why it failed where that is a matter of one table alone. */
  async #ofOne<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T | string> {
    try {
      return await work();
    } catch (failure) {
      const error = await narrowed(this.#project, failure, signal);
      if (!(error instanceof DualsyncError) || !error.ofOneCollection) throw error;
      return refusalCode(error) === NO_RIGHT
        ? `this key may not read it (${NO_RIGHT}). ${error.hint ?? ""}`.trim()
        : `${error.message} ${error.hint ?? ""}`.trim();
    }
  }

  /**
   * Why a table that is not listed may be there all the same: without any right on it a key does not even see it, but learns
   * so when it asks for it by name. Undefined: the project knows no such table, or does list it.
   */
  async hiddenReason(name: string, signal: AbortSignal): Promise<string | undefined> {
    if (!isAskable(name) || this.#known.has(name)) return undefined;
    try {
      await this.#project.rows(name, { select: [], limit: 0 }, signal);
      return "the project does not list it, but answers for it";
    } catch (failure) {
      const code = refusalCode(failure);
      if (NO_TABLE.has(code ?? "")) return undefined;
      const error = await narrowed(this.#project, failure, signal);
      if (!(error instanceof DualsyncError) || !error.ofOneCollection) throw error;
      if (code === NO_RIGHT) return `this key may not read it (${NO_RIGHT}). ${error.hint ?? ""}`.trim();
      return code === undefined
        ? `the project does not list it, and whether it is there could not be found out: ${error.message}`
        : `the project does not list it and refuses to read it (${code})`;
    }
  }

  async #info(table: Table, signal: AbortSignal): Promise<CollectionInfo> {
    const { label } = this.#project;
    const { rows: sample, count: documents } = await sampleOf(this.#project, table, SAMPLE, signal);
    const changedBy = CHANGED.find((name) =>
      table.columns.some((column) => column.name === name && column.type === "timestamptz"),
    );
    const average = sample.length === 0 ? 0 : sample.bytes.length / sample.length;
    return {
      name: table.name,
      kind: "collection",
      type: "collection",
      uid: uidOf(label, table),
      options: new Map(),
      ordered: isOrdered(table),
      ...(table.hidesRows === undefined ? { mayBeHidden: true as const } : {}),
      ...(table.keyIsUnique === true ? { idsAreUnique: true as const } : {}),
      ...afterOf(table, this.#project.schema),
      changedBy,
      documents,
      bytes: Math.round(documents * average),
    };
  }

  /**
   * Whether the table is still there. The description of all tables would tell, and is as long as they are many: the table
   * itself is asked for no row of its columns, and the optional function for its number.
   */
  async stillExists(collection: CollectionInfo, signal: AbortSignal): Promise<boolean> {
    const table = this.#known.get(collection.name);
    if (table === undefined || !this.#isListed(collection))
      return await this.#isListedNow(collection, signal);
    const [answers, oid] = await Promise.all([
      this.#answers(table, signal),
      table.oid === undefined ? undefined : readOid(this.#project, table.name, this.#functions, signal),
    ]);
    return (
      (oid === undefined || oid === table.oid) && (answers ?? (await this.#isListedNow(collection, signal)))
    );
  }

  /** Those that are listed by now with another key or other columns, or as other tables. */
  async replaced(
    collections: readonly CollectionInfo[],
    signal: AbortSignal,
  ): Promise<readonly CollectionInfo[]> {
    await this.read(signal);
    return collections.filter((one) => this.#known.has(one.name) && !this.#isListed(one));
  }

  async #isListedNow(collection: CollectionInfo, signal: AbortSignal): Promise<boolean> {
    await this.read(signal);
    return this.#isListed(collection);
  }

  #isListed({ name, uid }: CollectionInfo): boolean {
    const table = this.#known.get(name);
    // A view may have taken the place of the table whose rows it shows.
    return table?.writable === true && isSame(uidOf(this.#project.label, table), uid);
  }

  /** Whether the project gives out these columns of it; undefined: there are too many to be asked for at once. */
  async #answers({ name, columns }: Table, signal: AbortSignal): Promise<boolean | undefined> {
    const select = columns.map((column) => ({ column: column.name }));
    try {
      await this.#project.rows(name, { select, limit: 0 }, signal);
      return true;
    } catch (error) {
      if (isTooMuch(error)) return undefined;
      const code = refusalCode(error) ?? "";
      if (code !== NO_RIGHT && code !== NO_COLUMN && !NO_TABLE.has(code)) throw error;
      // Why it is not shown any more is found out by who asks for that.
      if (code === NO_RIGHT) this.#known.delete(name);
      return false;
    }
  }
}

/** What the work comes to for each, in their order, with a few under way at once; the first failure ends it. */
async function inTurns<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<readonly R[]> {
  const done: R[] = [];
  const rest = items.entries();
  let isOver = false;
  const turn = async (): Promise<void> => {
    for (const [at, item] of rest) {
      if (isOver) return;
      done[at] = await work(item).catch((error: unknown) => {
        isOver = true;
        throw error;
      });
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, turn));
  return done;
}

/** The tables whose rows those of this one refer to, itself perhaps; by keys of several columns only where those are known. */
function afterOf({ references, relations = [] }: Table, schema: string): Pick<CollectionInfo, "after"> {
  const related = relations.filter((relation) => relation.schema === schema);
  const others = [...references, ...related].map(({ table }) => table);
  return others.length === 0 ? {} : { after: [...new Set(others)] };
}

/** Tells a table from one of the same name in another project, with other columns or, where that is known, recreated. */
export function uidOf(label: string, { name, key, columns, oid }: Table): string {
  const shape = columns.map((column) => [column.name, column.type]);
  const text = JSON.stringify([label, name, key, shape]);
  const hash = createHash("sha256").update(text).digest("hex").slice(0, 32);
  return oid === undefined ? `table ${hash}` : `table ${hash} ${oid}`;
}

/** One of the two may have been made without knowing what distinguishes tables of the same shape. */
function isSame(now: string, before: string | undefined): boolean {
  if (before === undefined || now === before) return now === before;
  return now.startsWith(`${before} `) || before.startsWith(`${now} `);
}

/** dualsync's own tables are nobody's. Other names never reach a table: gateways and PostgREST take them for other paths, and Postgres has none so long. */
function isAskable(name: string): boolean {
  return !isControlName(name) && !/^(?:rpc|\.{0,2})$|[/\\%]/.test(name) && Buffer.byteLength(name) <= 63;
}

function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return a.name < b.name ? -1 : 1;
}
