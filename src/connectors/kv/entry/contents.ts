import { elements, isNamed } from "../../../bson/elements.ts";
import { BsonWriter } from "../../../bson/writer.ts";
import type { Contents } from "../../powers/contents.ts";
import { contentHash } from "./content-hash.ts";
import { decodeRecord } from "./decode-record.ts";
import { writeExpiry } from "./encode-record.ts";
import { saySame } from "./say-same.ts";

/** Of records of a KV store's keys. */
export const contents: Contents = {
  of(doc) {
    const found = decodeRecord(doc);
    if ("problem" in found) return found;
    const { content, expiresAt } = found.entry;
    return { hash: contentHash(content), expiresAt, losses: found.losses };
  },

  saysSame(a, b) {
    const [one, other] = [decodeRecord(a), decodeRecord(b)];
    return !("problem" in one) && !("problem" in other) && saySame(one.entry.content, other.entry.content);
  },

  withExpiry({ id, bytes }, expiresAt) {
    const writer = new BsonWriter(bytes.length + 32);
    const start = writer.begin();
    let isWritten = expiresAt === undefined;
    for (const element of elements(bytes)) {
      const isExpiry = isNamed(bytes, element, "expiresAt");
      // Where records have it: before the hash.
      if (expiresAt !== undefined && !isWritten && (isExpiry || isNamed(bytes, element, "hash"))) {
        writeExpiry(writer, expiresAt);
        isWritten = true;
      }
      if (!isExpiry) writer.raw(bytes.subarray(element.nameStart - 1, element.end));
    }
    if (expiresAt !== undefined && !isWritten) writeExpiry(writer, expiresAt);
    writer.end(start);
    return { id, bytes: writer.written() };
  },
};
