/** Hashes documents as the rows that they stand for: what sql-digest.ts computes of the rows themselves. */
import { createHash, hash } from "node:crypto";
import type { Batch } from "../../../model/document.ts";
import type { RangeDigest } from "../../../model/range-digest.ts";
import type { DocumentsHash } from "../../powers/digests.ts";
import { documentsOf } from "../mapping/documents.ts";
import { rowText } from "../mapping/to-row/row-text.ts";
import type { Table } from "../schema/table.ts";

const SHA256 = "sha256";
/** What a document that is no row is hashed with: no row's text begins so. */
const NO_ROW = Buffer.from("!");

export class RowHash implements DocumentsHash {
  readonly #table: Table;
  readonly #hash = createHash(SHA256);
  #rows = 0;
  #bytes = 0;
  #equivalent = 0;

  constructor(table: Table) {
    this.#table = table;
  }

  add(batch: Batch): void {
    const texts: string[] = [];
    const rows: number[] = [];
    for (let i = 0; i < batch.length; i++) {
      const document = batch.bytesOf(i);
      const text = rowText(this.#table, document);
      const hashed = text ?? Buffer.concat([NO_ROW, document]);
      this.#hash.update(hash(SHA256, hashed, "buffer"));
      this.#bytes += Buffer.byteLength(hashed);
      if (text === undefined) continue;
      texts.push(text);
      rows.push(i);
    }
    this.#rows += batch.length;
    this.#equivalent += countOthers(this.#table, texts, (row) => batch.bytesOf(rows[row] as number));
  }

  digest(): RangeDigest {
    return {
      documents: this.#rows,
      bytes: this.#bytes,
      sha256: this.#hash.copy().digest("hex"),
      equivalent: this.#equivalent,
    };
  }
}

/** How many documents are not what is made of their rows. */
function countOthers(
  table: Table,
  texts: readonly string[],
  documentOf: (row: number) => Uint8Array,
): number {
  try {
    const made = documentsOf(table, Buffer.from(`[${texts.join(",")}]`));
    let others = 0;
    for (let i = 0; i < made.length; i++) {
      if (Buffer.compare(made.bytesOf(i), documentOf(i)) !== 0) others++;
    }
    return others;
  } catch (error) {
    // A text that no row has is among them: what holds it is equal to nothing.
    if (error instanceof RangeError) return texts.length;
    throw error;
  }
}
