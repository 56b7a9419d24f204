/** Which of two versions of a document was changed later, by a date that both have. */
import { elements, isNamed, TYPE } from "../../bson/elements.ts";
import type { Doc } from "../../model/document.ts";
import type { DocumentPair } from "../walk/walk.ts";

/** Fields that applications and databases keep the time of the last change in. */
const USUAL_FIELDS = ["updated_at", "updatedAt"] as const;

export interface Later {
  readonly side: "source" | "target";
  readonly field: string;
}

/** The dates of the last change by which a run decides which version of a document is newer, the first that both have. */
export class NewerBy {
  readonly #fields: readonly string[];
  #asked = false;
  #answered = false;

  constructor(fields: readonly string[] = USUAL_FIELDS) {
    this.#fields = fields;
  }

  /** Versions were held against each other, and none of these fields was a date in both. */
  get isUnknown(): boolean {
    return this.#asked && !this.#answered;
  }

  /** The first of the fields that is a date on both sides, where the target's is later than the source's. */
  newer(pair: DocumentPair): string | undefined {
    const later = this.later(pair);
    return later?.side === "target" ? later.field : undefined;
  }

  /** The side whose date is later in the first of the fields that is a date on both; undefined: none, or they are equal. */
  later({ expected, found }: DocumentPair): Later | undefined {
    this.#asked = true;
    for (const field of this.#fields) {
      const [ours, theirs] = [dateOf(expected, field), dateOf(found, field)];
      if (ours === undefined || theirs === undefined) continue;
      this.#answered = true;
      if (theirs === ours) return undefined;
      return { side: theirs > ours ? "target" : "source", field };
    }
    return undefined;
  }
}

/** Why such a document is not replaced, and what to do about it. */
export function newerReason(field: string): string {
  return `the copy is newer by ${field} and was kept: look at both; dualsync diff --plan FILE and dualsync repair FILE apply the source's version`;
}

/** Milliseconds since 1970; undefined where the field is no date, or not there. */
function dateOf({ bytes }: Doc, field: string): bigint | undefined {
  for (const element of elements(bytes)) {
    if (!isNamed(bytes, element, field)) continue;
    if (element.type !== TYPE.date) return undefined;
    return new DataView(bytes.buffer, bytes.byteOffset).getBigInt64(element.start, true);
  }
  return undefined;
}
