import type { Element } from "../../bson/elements.ts";
import { cutText } from "../../model/cut-text.ts";

/** A field, and the field that holds it; undefined is the whole document. */
export interface PointerPlace {
  readonly parent: PointerPlace | undefined;
  readonly bytes: Buffer;
  readonly element: Element;
}

const LONGEST = 500;

/**
 * The place as a JSON pointer (RFC 6901). One of more than 500 characters is cut, and then ends with "…"; bytes of a name
 * that are not UTF-8 read as U+FFFD.
 */
export function pointerTo(place: PointerPlace | undefined): string {
  const tokens: string[] = [];
  for (let at = place; at !== undefined; at = at.parent) tokens.push(`/${tokenOf(at)}`);
  return cutText(tokens.reverse().join(""), LONGEST);
}

function tokenOf({ bytes, element: { nameStart, nameEnd } }: PointerPlace): string {
  // A character has up to three bytes for each unit of its length.
  const name = bytes.toString("utf8", nameStart, Math.min(nameEnd, nameStart + 3 * LONGEST));
  return name.replaceAll("~", "~0").replaceAll("/", "~1");
}
