import type { Batch, DocumentId } from "../../../../model/document.ts";
import { DualsyncError } from "../../../../model/errors.ts";
import type { Condition } from "../../api/condition.ts";
import type { Project } from "../../api/project.ts";
import type { ExactText } from "../../api/texts.ts";
import { keyTexts } from "../../mapping/key.ts";
import type { Table } from "../../schema/table.ts";
import { keyRange, oneOf } from "../key-range.ts";
import type { PagesOptions } from "../pages.ts";
import { columnKey, exactnessOf, type KnownExactness } from "./exactness.ts";
import { type Texts, textsOf } from "./page-values.ts";
import { type Sameness, sameOutput, sameValues } from "./same-values.ts";
import { searchDates, searchDigits } from "./search.ts";
import { isOpen, seeTexts } from "./see-texts.ts";
import { type WatchedColumn, watchedColumns } from "./watched-columns.ts";

/** Characters of an address that hold texts and keys: gateways refuse addresses from about eight thousand on. */
const ADDRESS = 5_000;

/** Of a type that may hold no number at all, rows whose texts are so long that fewer fit into an address are left out. */
const FEW = 10;
/** Characters of a page's texts that are read once more for the sake of a cast that may be there. */
const MOST_TEXT = 200_000;
/** What belongs to each text: quotes and a comma in a list, else a column's name and an operator, too. */
const [IN_LIST, ALONE] = [9, 30];

/** Where rows come from: in the order of the key, and all of them that fulfil this; or from anywhere. */
type ValueOrigin = Pick<PagesOptions, "range" | "after" | "where"> | "anywhere";

interface LookedRows {
  readonly ids: readonly DocumentId[];
  readonly origin: ValueOrigin;
}

/** Rows that are asked about together. */
interface Chunk {
  readonly from: number;
  readonly to: number;
  readonly texts: ReadonlySet<string>;
  /** A single row, whose text is more than an address holds. */
  readonly isTooLong: boolean;
}

/** Looks at rows of a table as they come, and asks the server about what their texts alone do not show. */
export class ExactLook {
  readonly #project: Project;
  readonly #table: Table;
  readonly #exactness: KnownExactness;
  #pending: Promise<void> = Promise.resolve();

  constructor(project: Project, table: Table) {
    this.#project = project;
    this.#table = table;
    this.#exactness = exactnessOf(project);
  }

  /** Makes documents as before, and looks at the rows that they are made of: pages in the order of the key. */
  inOrder(documents: (answer: ExactText) => Batch, options: PagesOptions): (answer: ExactText) => Batch {
    let { after } = options;
    return (answer) => {
      const batch = documents(answer);
      this.#at(answer, batch, { ...options, after }, options.signal);
      if (batch.length > 0) after = batch.idOf(batch.length - 1);
      return batch;
    };
  }

  /** The same for rows that were asked for by their keys. */
  anywhere(documents: (answer: ExactText) => Batch, signal: AbortSignal): (answer: ExactText) => Batch {
    return (answer) => {
      const batch = documents(answer);
      this.#at(answer, batch, "anywhere", signal);
      return batch;
    };
  }

  /** What has to be asked is asked beside whatever comes next; `done` waits for it. */
  #at(page: ExactText, batch: Batch, origin: ValueOrigin, signal: AbortSignal): void {
    const columns = watchedColumns(this.#table).filter((one) => isOpen(this.#exactness, this.#table, one));
    if (columns.length === 0 || batch.length === 0) return;
    const texts = textsOf(this.#table, page.bytes, columns);
    for (const [at, column] of columns.entries())
      seeTexts(this.#exactness, this.#table, column, texts[at] as Texts);
    const ids = Array.from({ length: batch.length }, (_, at) => batch.idOf(at));
    const before = this.#pending;
    this.#pending = (async () => {
      await before;
      await Promise.all(
        columns.map((column, at) => this.#ask(column, texts[at] as Texts, { ids, origin }, signal)),
      );
    })();
    this.#pending.catch(() => undefined); // whoever reads waits for it
  }

  /**
   * Settles once everything that came was asked about.
   * @throws DualsyncError when a key does not arrive as it is: rows can then be neither distinguished nor found
   */
  async done(): Promise<void> {
    await this.#pending;
    const inexact = watchedColumns(this.#table).some(({ isOfKey }) => isOfKey)
      ? this.#exactness.inexact(this.#table.name)
      : [];
    const own = inexact.find(({ key }) =>
      this.#table.key.some((name) => key === columnKey(this.#table.name, name)),
    );
    if (own === undefined) return;
    const { role, label } = this.#project;
    throw new DualsyncError(
      role,
      `${label} does not return the keys of ${this.#table.name} exactly (${own.key}).`,
      {
        hint: `${own.reason[0]?.toUpperCase()}${own.reason.slice(1)}`,
        ofOneCollection: true,
      },
    );
  }

  /** Rows were asked for by keys and came with others: texts of keys are not the keys. */
  sawOtherKeys(): void {
    for (const { watch, isOfKey, field } of watchedColumns(this.#table))
      if (isOfKey && (watch === "float4" || watch === "float8"))
        this.#exactness.nameRounded(this.#table, field.column.name);
  }

  /** Passes pages on, each once all of it is looked at. */
  async *checked(pages: AsyncIterable<Batch>): AsyncGenerator<Batch> {
    for await (const page of pages) {
      await this.done();
      yield page;
    }
  }

  async #ask(column: WatchedColumn, texts: Texts, rows: LookedRows, signal: AbortSignal): Promise<void> {
    const { watch, field } = column;
    const { session } = this.#exactness;
    const { name } = field.column;
    const state = this.#exactness.of(this.#table);
    if (watch === "other" && state.isMadeOfOthers.get(name) === true)
      await searchDates(this.#project, signal);
    const isMade = watch === "other" && state.isMadeOfOthers.get(name) === true;
    const isFloat = watch === "float4" || watch === "float8";
    const hasNumbers = isFloat || watch === "shape" || isMade;
    const mayRound = hasNumbers && texts.some((text) => text !== null && /\d/.test(text));
    const mayBeCast = watch === "other" && field.column.castToText !== false;
    if (!mayRound && !mayBeCast) return;
    if (mayRound) await searchDigits(this.#project, this.#table, signal);
    if (state.named.has(name)) return;
    const isDoubted = mayRound && !session.is("extra_float_digits", "good");
    if (!isDoubted && !mayBeCast) return;
    if (watch === "shape") {
      state.unproved.add(name);
      return;
    }
    let found: Sameness = state.incomparable.has(name)
      ? "unknown"
      : await this.#samenessOf(column, texts, rows, { isDoubted, signal });
    if (found === "unknown") (isFloat ? state.unproved : state.incomparable).add(name);
    if (found === "unknown" && mayBeCast) found = await this.#outputOf(column, texts, rows, signal);
    if (found !== "other") return;
    if (isFloat) this.#exactness.nameRounded(this.#table, name);
    else this.#exactness.nameRewritten(this.#table, name);
  }

  /** Of all rows, at once. */
  async #outputOf(
    column: WatchedColumn,
    texts: Texts,
    rows: LookedRows,
    signal: AbortSignal,
  ): Promise<Sameness> {
    const [table, project, { field }] = [this.#table, this.#project, column];
    const state = this.#exactness.of(table);
    const { name, castToText } = field.column;
    if (state.long.has(name)) return "unknown";
    const size = texts.reduce((sum, text) => sum + (text?.length ?? 0), 0);
    const isLong = castToText !== true && size > MOST_TEXT;
    const all = { from: 0, to: rows.ids.length, texts: new Set<string>(), isTooLong: false };
    const question = { project, table, field, where: this.#where(column, rows, all) };
    const found = isLong ? "unknown" : await sameOutput(question, rows.ids.length, signal);
    if (found !== "unknown") return found;
    state.long.add(name);
    if (castToText === true) this.#exactness.nameCast(table, name);
    return "unknown";
  }

  /** Of all rows: in as many questions as fit into addresses, and as the server can take. */
  async #samenessOf(
    column: WatchedColumn,
    texts: Texts,
    rows: LookedRows,
    { isDoubted, signal }: { readonly isDoubted: boolean; readonly signal: AbortSignal },
  ): Promise<Sameness> {
    const [table, project] = [this.#table, this.#project];
    const { field, isOfKey, watch } = column;
    let worst: Sameness = "same";
    let most = Number.POSITIVE_INFINITY;
    for (let from = 0; from < rows.ids.length; ) {
      signal.throwIfAborted();
      const chunk = this.#chunk(column, texts, rows, { from, most });
      const where = this.#where(column, rows, chunk);
      const found = chunk.isTooLong
        ? "unknown"
        : await sameValues({ project, table, field, where, texts: chunk.texts, isOpen: isOfKey }, signal);
      if (found === "other") return "other";
      const taken = chunk.to - from;
      // Nothing but an unlikely cast is looked for: where most texts differ, that is not worth many questions.
      const isDear = chunk.to < rows.ids.length && (isDoubted ? taken < FEW : chunk.texts.size * 2 > taken);
      if (watch === "other" && (found !== "same" || isDear)) return "unknown";
      if (found === "too-much" && chunk.to - from > 1) {
        most = (chunk.to - from) >> 1;
        continue;
      }
      if (found !== "same") worst = "unknown";
      from = chunk.to;
    }
    return worst;
  }

  /** The rows from a place on whose texts, and keys if those are needed, fit into an address. */
  #chunk(
    { field }: WatchedColumn,
    texts: Texts,
    { ids, origin }: LookedRows,
    { from, most }: { readonly from: number; readonly most: number },
  ): Chunk {
    const room = field.type.isArray ? ALONE + field.column.name.length : IN_LIST;
    const own = new Set<string>();
    let length = 0;
    let to = from;
    for (; to < ids.length && to - from < most; to++) {
      const text = texts[to] ?? null;
      if (origin === "anywhere")
        for (const key of keyTexts(this.#table, ids[to] as DocumentId) ?? [])
          length += encodeURIComponent(key).length + ALONE;
      if (text !== null && !own.has(text)) length += encodeURIComponent(text).length + room;
      if (length > ADDRESS && to > from) break;
      if (text !== null) own.add(text);
    }
    return { texts: own, from, to, isTooLong: to === from + 1 && length > ADDRESS };
  }

  #where({ isOfKey }: WatchedColumn, { ids, origin }: LookedRows, { from, to }: Chunk): readonly Condition[] {
    const table = this.#table;
    if (origin === "anywhere") {
      const keys = ids.slice(from, to).flatMap((id) => {
        const found = keyTexts(table, id);
        return found === undefined ? [] : [found];
      });
      return [oneOf(table.key, keys)];
    }
    const [first, last, before] = [ids[from], ids[to - 1], from === 0 ? origin.after : ids[from - 1]];
    const { range, where = [] } = origin;
    if (!isOfKey) return [...keyRange(table, { range: { from: first }, upTo: last }).where, ...where];
    // What the key's own texts leave out lies between them: everything that comes after what came before is asked about.
    return [...keyRange(table, { range, after: before }).where, ...where];
  }
}
