import { compareIds } from "../../../bson/compare-ids.ts";
import type { Batch, DocumentId } from "../../../model/document.ts";
import { isOrdered } from "../mapping/key.ts";
import type { Table } from "../schema/table.ts";

/**
 * Watches that rows come after those before them. One that comes again may come for ever, and where a server does not
 * sort, rows before the last one of a page are never asked for. Only where keys have an order that this program knows,
 * each is held against the one before; of other keys it sees what comes twice in a page, and going round in a circle.
 */
export class Succession {
  readonly #ordered: boolean;
  #last: DocumentId | undefined;
  /** The last key of a page that was a power of two: a circle comes back to it. */
  #mark: string | undefined;
  #pages = 0;

  constructor(table: Table, after: DocumentId | undefined) {
    this.#ordered = isOrdered(table);
    this.#last = after;
  }

  /** False where the rows do not follow what was taken before. */
  take(page: Batch): boolean {
    return this.#ordered ? this.#rises(page) : this.#isNew(page);
  }

  #rises(page: Batch): boolean {
    for (let i = 0; i < page.length; i++) {
      const id = page.idOf(i);
      if (this.#last !== undefined && compareIds(this.#last.element, id.element) >= 0) return false;
      this.#last = id;
    }
    return true;
  }

  #isNew(page: Batch): boolean {
    const keys = new Set(this.#last === undefined ? [] : [this.#last.key]);
    const before = keys.size;
    let last: DocumentId | undefined;
    for (let i = 0; i < page.length; i++) {
      last = page.idOf(i);
      keys.add(last.key);
    }
    if (keys.size < before + page.length || (last !== undefined && last.key === this.#mark)) return false;
    this.#last = last;
    this.#pages++;
    if ((this.#pages & (this.#pages - 1)) === 0) this.#mark = last?.key;
    return true;
  }
}
