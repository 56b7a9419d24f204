import { elements, isNamed, TYPE } from "../../bson/elements.ts";
import type { Doc } from "../../model/document.ts";

/** Fields in which applications keep when a document was made or changed. */
const USUAL_FIELDS = ["created_at", "createdAt", "updated_at", "updatedAt"];

/**
 * Tells which documents of a target that its copy lacks were there when the copy was last verified: those whose every date lies
 * before. What bears no date, and everything where nothing was verified, may be newer.
 */
export class ExtraAge {
  readonly #verified: Date | undefined;
  readonly #fields: readonly string[];

  /** `verified`: when the last verified run began, by the copy. */
  constructor(verified: Date | undefined, newerBy?: string | undefined) {
    this.#verified = verified;
    this.#fields = newerBy === undefined ? USUAL_FIELDS : [newerBy, ...USUAL_FIELDS];
  }

  mayBeNewer({ id, bytes }: Doc): boolean {
    const verified = this.#verified?.getTime();
    if (verified === undefined) return true;
    const dates = [...this.#datesOf(bytes), ...madeAt(id.element)];
    return dates.length === 0 || dates.some((date) => date >= verified);
  }

  *#datesOf(bytes: Uint8Array): Generator<number> {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (const element of elements(bytes)) {
      const isDate = element.type === TYPE.date && this.#fields.some((name) => isNamed(bytes, element, name));
      if (isDate) yield Number(view.getBigInt64(element.start, true));
    }
  }
}

/** An ObjectId holds the second in which it was made. */
function madeAt(element: Uint8Array): readonly number[] {
  if (element[0] !== TYPE.objectId) return [];
  const seconds = new DataView(element.buffer, element.byteOffset).getUint32(1);
  // It may have been made at the end of that second.
  return [seconds * 1_000 + 999];
}
