/** What of a store's keys is not read, or not all of it, as far as reading has shown. */
import { printId } from "../../../bson/print-id.ts";
import type { DocumentId } from "../../../model/document.ts";
import type { NotReproduced } from "../../write-outcome.ts";

/** `document`: what the key holds is not read at all. `groups`: consumer groups of a stream. `fields`: a hash's fields expire by themselves. */
export type InexactPart = "document" | "groups" | "fields";

/** The name of the one collection that a KV store has. */
export const COLLECTION = "kv_records";

/** More are not told by name. */
const MOST = 10_000;

const MORE: NotReproduced = {
  key: `documents ${COLLECTION}`,
  reason: "more keys are not read exactly than are kept by name",
};

export class InexactKeys {
  readonly #named = new Map<string, NotReproduced>();
  /** Keys that are not read at all, by `DocumentId.key`, and why. */
  readonly #unread = new Map<string, string>();
  #more = false;

  /** What was seen of a key just now. `reason`: in words that stand alone; undefined: nothing is wrong with this part of it. */
  saw(part: InexactPart, id: DocumentId, reason: string | undefined): void {
    if (part === "document") {
      if (reason === undefined) this.#unread.delete(id.key);
      else this.#unread.set(id.key, reason);
    }
    if (reason === undefined && this.#named.size === 0) return;
    const key = `${part} ${COLLECTION}/${printId(id.element)}`;
    if (reason === undefined) this.#named.delete(key);
    else if (this.#named.size < MOST || this.#named.has(key)) this.#named.set(key, { key, reason });
    else this.#more = true;
  }

  /** Why this key is not read; undefined where it is. */
  unread(id: DocumentId): string | undefined {
    return this.#unread.get(id.key);
  }

  get all(): readonly NotReproduced[] {
    return [...this.#named.values(), ...(this.#more ? [MORE] : [])];
  }
}
