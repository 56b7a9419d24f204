import type { CollectionKind } from "../../model/collection.ts";
import { cutText } from "../../model/cut-text.ts";

/** What was copied or compared, as far as it matters here. */
interface Examined {
  readonly collection: string;
  readonly kind: CollectionKind;
  readonly anyFieldOrder?: true | undefined;
  readonly verdict: string;
}

const NOT_DONE: ReadonlySet<string> = new Set(["not compared", "incomplete", "failed"]);

/** So many names are shown, and so much of each. */
const MOST_NAMES = 5;
const LONGEST_NAME = 80;

/** The names of those whose documents are equal in any order of their fields, for a sentence; undefined where these are all, or none. */
export function namesInAnyFieldOrder(collections: readonly Examined[]): string | undefined {
  const { some, all } = inAnyFieldOrder(collections);
  if (some.length === 0 || all) return undefined;
  const shown = some.slice(0, MOST_NAMES).map(({ collection }) => cutText(collection, LONGEST_NAME));
  const more = some.length - shown.length;
  return `${shown.join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}

const BUT_ORDER = "but for the order of fields, which the store does not keep";

/** Behind "equal" or "compared": `byBytes` ("byte for byte"), as far as that is true of these collections. */
export function howEqual(byBytes: string, collections: readonly Examined[]): string {
  const names = namesInAnyFieldOrder(collections);
  if (names !== undefined) return `${byBytes} (${names}: ${BUT_ORDER})`;
  return inAnyFieldOrder(collections).all ? BUT_ORDER : byBytes;
}

function inAnyFieldOrder(collections: readonly Examined[]): { some: readonly Examined[]; all: boolean } {
  const examined = collections.filter(({ kind, verdict }) => kind !== "definition" && !NOT_DONE.has(verdict));
  const some = examined.filter(({ anyFieldOrder }) => anyFieldOrder === true);
  return { some, all: some.length > 0 && some.length === examined.length };
}
