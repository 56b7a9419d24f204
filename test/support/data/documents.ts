import { serialize } from "bson";
import { Batch, type Doc, DocumentId, idElement } from "../../../src/model/document.ts";

/** A document as a store would hold it. Give a Map where the order of number-like names matters. */
export function doc(content: Map<string, unknown> | Record<string, unknown>): Doc {
  return rawDoc(serialize(content));
}

export function rawDoc(bytes: Uint8Array): Doc {
  return { id: new DocumentId(idElement(bytes)), bytes };
}

export function batchOf(...contents: (Map<string, unknown> | Record<string, unknown>)[]): Batch {
  return Batch.of(contents.map(doc));
}

/** The id of a document with this `_id`. */
export function id(value: unknown): DocumentId {
  return doc(new Map([["_id", value]])).id;
}

/** All documents of a stream of batches, as hex, in the order in which they came. */
export async function collect(batches: AsyncIterable<Batch>): Promise<string[]> {
  const found: string[] = [];
  for await (const batch of batches) found.push(...hexOf(batch.docs()));
  return found;
}

export function hexOf(documents: readonly Doc[]): string[] {
  return documents.map(({ bytes }) => Buffer.from(bytes).toString("hex"));
}
