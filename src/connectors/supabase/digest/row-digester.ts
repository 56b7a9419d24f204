/** Asks a project to hash its rows: what is equal then need not be read. */
import type { DocumentId } from "../../../model/document.ts";
import { DualsyncError } from "../../../model/errors.ts";
import type { RangeDigest } from "../../../model/range-digest.ts";
import type { IdRange, Selection } from "../../collection.ts";
import { faultOf } from "../../http/fault.ts";
import type { HashedRange, RecordDigester } from "../../powers/digests.ts";
import { isTooMuch } from "../api/fault.ts";
import type { Project } from "../api/project.ts";
import { idOfTexts, isOrdered, readKey } from "../mapping/key.ts";
import { type Field, layoutOf } from "../mapping/layout.ts";
import { exactnessOf } from "../reading/exact/exactness.ts";
import { OTHER_DIGEST, SETTING_DEPENDENT } from "../reading/exact/reasons.ts";
import { type Watch, watchedColumns } from "../reading/exact/watched-columns.ts";
import { isSelectedAsText } from "../schema/column-type.ts";
import type { Table } from "../schema/table.ts";
import { DIGEST } from "../sql/sql-digest.ts";
import { type Proof, proofOf } from "./row-digester-proof.ts";
import { RowHash } from "./row-hash.ts";

/**
 * Undefined unless the project has the function and it has computed, of some rows of this table, what is computed here of their
 * documents. Keys must be in the order of `_id`s, and of their index: other ranges could not be hashed without sorting.
 */
export async function rowDigester(
  project: Project,
  table: Table,
  signal: AbortSignal,
): Promise<RecordDigester | undefined> {
  if (!isOrdered(table) || table.keyIndex?.some((name, at) => name !== table.key[at]) === true)
    return undefined;
  const digester = digesterOf(project, table);
  try {
    const proof = await proofOf(project, table, digester, signal);
    if (proof === "wrong") await nameOthers(project, table, signal);
    return proof === "right" && !mayHashCasts(table) ? digester : undefined;
  } catch (error) {
    if (error instanceof Unhashed && !signal.aborted) return undefined;
    throw error;
  }
}

/** Whether the function may hash what somebody's own cast makes of values, which is what was copied, too. */
function mayHashCasts(table: Table): boolean {
  return watchedColumns(table).some(
    ({ watch, field }) => watch === "other" && field.column.castToText !== false,
  );
}

function digesterOf(project: Project, table: Table): RecordDigester {
  const asker = new Asker(project, table);
  return {
    hash: () => new RowHash(table),
    digest: (selection, until) => asker.digest(selection, until),
    digestPieces: (range, pieces, until) => asker.pieces(range, pieces, until),
  };
}

/**
 * Finds what the function computes otherwise than it is read. It runs under settings of its own: numbers that are rounded, and
 * texts that change with settings, show themselves. Intervals, ranges and similar types are checked by their form alone.
 */
async function nameOthers(project: Project, table: Table, signal: AbortSignal): Promise<void> {
  const exactness = exactnessOf(project);
  const watched = watchedColumns(table).filter(({ isOfKey }) => !isOfKey);
  const proofWith = async (names: ReadonlySet<string>): Promise<Proof> => {
    const columns = table.columns.filter(({ name }) => table.key.includes(name) || names.has(name));
    const narrow = { ...table, columns };
    return await proofOf(project, narrow, digesterOf(project, narrow), signal);
  };
  let isExplained = false;
  for (const { field, watch } of watched) {
    const { name } = field.column;
    const proof = await proofWith(new Set([name]));
    if (proof !== "right") isExplained = true;
    if (proof !== "wrong") continue;
    if (watch === "other") exactness.name(table, name, SETTING_DEPENDENT);
    else if (MEASURED.has(watch) && !exactness.session.is("extra_float_digits", "good"))
      exactness.nameRounded(table, name);
  }
  const others = table.columns.filter(({ name }) => !watched.some(({ field }) => field.column.name === name));
  const proof = await proofWith(new Set(others.map(({ name }) => name)));
  if (proof === "wrong" || (proof === "right" && !isExplained)) exactness.name(table, "", OTHER_DIGEST);
}

/** Columns of floating-point numbers. */
const MEASURED: ReadonlySet<Watch> = new Set<Watch>(["float4", "float8", "shape"]);

/** Rows that the project does not hash, for whatever reason of its own: they can be read all the same. */
class Unhashed extends DualsyncError {}

interface Piece {
  readonly from: readonly string[];
  readonly digest: RangeDigest;
}

class Asker {
  readonly #project: Project;
  readonly #table: Table;

  constructor(project: Project, table: Table) {
    this.#project = project;
    this.#table = table;
  }

  async digest({ range = {}, filter }: Selection, signal: AbortSignal): Promise<RangeDigest> {
    if (filter !== undefined) throw new RangeError("tables have no filters");
    const pieces = await this.#ask(range, 1, signal);
    if (pieces.length > 1) throw this.#odd();
    return pieces[0]?.digest ?? new RowHash(this.#table).digest();
  }

  async pieces(range: IdRange, pieces: number, signal: AbortSignal): Promise<readonly HashedRange[]> {
    const found = await this.#ask(range, pieces, signal);
    const starts = found.map(({ from }) => this.#idOf(from));
    return found.map(({ digest }, i) => {
      const from = i === 0 ? range.from : starts[i];
      const to = i === found.length - 1 ? range.to : starts[i + 1];
      return { range: { from, to }, digest };
    });
  }

  #idOf(texts: readonly string[]): DocumentId {
    const id = idOfTexts(this.#table, texts);
    if (id === undefined) throw this.#odd();
    return id;
  }

  async #ask(range: IdRange, pieces: number, signal: AbortSignal): Promise<readonly Piece[]> {
    const question = this.#question(range, pieces);
    try {
      const answer = await this.#project.rpc(DIGEST, question, signal);
      const read = answer === undefined ? undefined : piecesOf(answer, this.#table.key.length);
      if (read !== undefined) return read;
    } catch (error) {
      if (signal.aborted) throw error;
      if (isTooMuch(error)) throw this.#refusal("hashing this many rows at once takes too long", error);
      if (faultOf(error) === undefined) throw error;
      throw this.#refusal("the function failed", error);
    }
    throw this.#odd();
  }

  #question({ from, to }: IdRange, pieces: number): string {
    const { name, key } = this.#table;
    const { fields } = layoutOf(this.#table);
    const names = (chosen: readonly Field[]): string[] => chosen.map(({ column }) => column.name);
    return JSON.stringify({
      table_name: name,
      columns: names(fields),
      as_text: names(fields.filter(({ type }) => isSelectedAsText(type))),
      key_columns: key,
      from_key: this.#textsOf(from),
      to_key: this.#textsOf(to),
      pieces,
    });
  }

  /** Null where the range has no such bound. */
  #textsOf(bound: DocumentId | undefined): readonly string[] | null {
    if (bound === undefined) return null;
    const texts = readKey(this.#table, bound);
    if (texts !== undefined) return texts;
    throw this.#refusal(`a bound is not a key of ${this.#table.name}`);
  }

  #odd(): Unhashed {
    return this.#refusal("the function's answer is not understood");
  }

  #refusal(reason: string, cause?: unknown): Unhashed {
    const { label } = this.#project;
    const sentence = `${label} cannot hash rows of ${this.#table.name}: ${reason}.`;
    return new Unhashed("refused", sentence, {
      hint: "Run dualsync sql and install what it prints; nothing depends on it.",
      cause,
    });
  }
}

/** Undefined when the answer is not what the function gives. */
function piecesOf(answer: string, keyColumns: number): readonly Piece[] | undefined {
  const pieces: unknown = JSON.parse(answer);
  if (!Array.isArray(pieces)) return undefined;
  const read: Piece[] = [];
  for (const piece of pieces as readonly unknown[]) {
    const { from, rows, bytes, sha256 } = (piece ?? {}) as Readonly<Record<string, unknown>>;
    const isKey =
      Array.isArray(from) && from.length === keyColumns && from.every((one) => typeof one === "string");
    if (!isKey || !isCount(rows) || rows === 0 || !isCount(bytes)) return undefined;
    if (typeof sha256 !== "string" || !/^[0-9a-f]{64}$/.test(sha256)) return undefined;
    read.push({ from: from as readonly string[], digest: { documents: rows, bytes, sha256 } });
  }
  return read;
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}
