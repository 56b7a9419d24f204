import { type Literal, readLiteral } from "../../mapping/array-literal.ts";
import type { Table } from "../../schema/table.ts";
import type { KnownExactness } from "./exactness.ts";
import type { Texts } from "./page-values.ts";
import {
  isClearInterval,
  isIsoRange,
  isMadeOfOthers,
  isPlainAmount,
  showsClearInterval,
  showsIso,
} from "./text-forms.ts";
import type { WatchedColumn } from "./watched-columns.ts";

/** Whether texts of the column still show something, or have to be asked about. */
export function isOpen(exactness: KnownExactness, table: Table, { watch, field }: WatchedColumn): boolean {
  const { session } = exactness;
  const isExact = session.is("extra_float_digits", "good");
  switch (watch) {
    case "float4":
    case "float8":
    case "shape":
      return !isExact && !session.isToldToRound;
    case "range":
      return !session.is("DateStyle", "good");
    case "interval":
      return !session.is("IntervalStyle", "good");
    case "money":
      return true;
    case "other": {
      const { name, castToText } = field.column;
      const { isMadeOfOthers, incomparable, long } = exactness.of(table);
      const isMade = isMadeOfOthers.get(name);
      if (isMade === undefined || (castToText !== false && !long.has(name))) return true;
      return isMade && !isExact && !incomparable.has(name);
    }
    case "bytea":
      return false;
  }
}

/** Takes in what texts of a column show by themselves: about the column, and about the settings of the project's sessions. */
export function seeTexts(exactness: KnownExactness, table: Table, column: WatchedColumn, texts: Texts): void {
  const { watch, field } = column;
  const see = SEEN[watch];
  if (see === undefined) return;
  const { name } = field.column;
  for (const text of texts) {
    if (text === null) continue;
    if (field.type.isArray && watch !== "other")
      for (const element of elementsOf(readLiteral(text))) see(exactness, table, name, element);
    else see(exactness, table, name, text);
  }
}

type See = (exactness: KnownExactness, table: Table, column: string, text: string) => void;

const SEEN: Readonly<Partial<Record<WatchedColumn["watch"], See>>> = {
  float4: ({ session }, _table, _column, text) => session.seeNumbers("float4", text),
  float8: ({ session }, _table, _column, text) => session.seeNumbers("float8", text),
  shape(exactness, table, column, text) {
    exactness.session.seeNumbers("float8", text);
    exactness.of(table).shapes.add(column);
  },
  range(exactness, table, column, text) {
    if (!isIsoRange(text)) exactness.nameForm(table, column, "DateStyle");
    else if (showsIso(text)) exactness.session.found("DateStyle", "good");
  },
  interval(exactness, table, column, text) {
    if (!isClearInterval(text)) exactness.nameForm(table, column, "IntervalStyle");
    else if (showsClearInterval(text)) exactness.session.found("IntervalStyle", "good");
  },
  money(exactness, table, column, text) {
    if (!isPlainAmount(text)) exactness.nameForm(table, column, "lc_monetary");
  },
  other(exactness, table, column, text) {
    const state = exactness.of(table).isMadeOfOthers;
    // An empty array shows nothing.
    if (!state.has(column) && text !== "{}") state.set(column, isMadeOfOthers(text));
  },
};

function* elementsOf(items: Literal): Generator<string> {
  for (const item of items) {
    if (typeof item === "string") yield item;
    else if (item !== null) yield* elementsOf(item);
  }
}
