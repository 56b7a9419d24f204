import type { ChalkInstance } from "chalk";
import type { ComparedCollection, Difference } from "../../model/reporter.ts";
import { count, grouped } from "../text/format.ts";
import { differenceLine, sigilPaint } from "./difference-line.ts";
import { collectionName } from "./text-style.ts";

/** More differences of one collection than this are counted, not listed, unless everything is asked for. */
const SHOWN_DIFFERENCES = 1_000;

export interface ListStyle {
  readonly paint: ChalkInstance;
  readonly verbose: boolean;
}

/** The differences of a run as lines, each ended by a line break, and how many of them were not shown. */
export class DifferenceList {
  readonly #style: ListStyle;
  readonly #seen = new Map<string, number>();

  constructor(style: ListStyle) {
    this.#style = style;
  }

  /** Whether this one is shown; each difference must be asked about once. */
  admits({ collection }: Difference): boolean {
    const seen = (this.#seen.get(collection) ?? 0) + 1;
    this.#seen.set(collection, seen);
    return this.#style.verbose || seen <= SHOWN_DIFFERENCES;
  }

  line(difference: Difference): string {
    const { paint, verbose } = this.#style;
    return `${differenceLine(difference, { paint, allFields: verbose })}\n`;
  }

  /** What stands between the list and the result: what was not shown, what is identical, and a blank line. */
  ending(name: (collection: string) => string, collections: readonly ComparedCollection[]): string {
    const rest = this.hidden(name) + this.#identical(collections);
    return this.#seen.size === 0 && rest === "" ? "" : `${rest}\n`;
  }

  /** How many were not shown, a line for each collection. */
  hidden(name: (collection: string) => string): string {
    if (this.#style.verbose) return "";
    return [...this.#seen]
      .filter(([, seen]) => seen > SHOWN_DIFFERENCES)
      .map(([collection, seen]) => {
        const more = grouped(seen - SHOWN_DIFFERENCES);
        return `… and ${more} more of ${name(collection)}; --json and --plan hold all\n`;
      })
      .join("");
  }

  /** When everything is asked for: "= orders  (52 documents)". */
  #identical(collections: readonly ComparedCollection[]): string {
    const { paint, verbose } = this.#style;
    if (!verbose) return "";
    return collections
      .filter(({ verdict }) => verdict === "identical")
      .map((of) => `${sigilPaint("=", paint)("=")} ${identicalText(of)}\n`)
      .join("");
  }
}

function identicalText({ collection, target, kind, type, equal }: ComparedCollection): string {
  return `${collectionName(collection, target)}  (${kind === "definition" ? type : count(equal, "document")})`;
}
