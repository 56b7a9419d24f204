/** Which values of a document must be unique, by the indexes of its collection, and who holds them. */
import { Binary, Decimal128, Double, Int32, Long, ObjectId, serialize } from "bson";
import { toOrdered } from "../../../bson/ordered.ts";
import { DocumentId, idElement } from "../../../model/document.ts";
import type { Filter, Metadata } from "../../collection.ts";
import type { UniqueRules, UniqueValue } from "../../powers/unique-values.ts";
import type { Server } from "../connection/server.ts";
import { readBatches } from "../reading/read.ts";
import { listIndexes } from "./indexes.ts";

/** Bytes of a document, where nothing is known of them. */
const ANY_SIZE = 1_000;

interface IndexedValue extends UniqueValue {
  /** The condition on documents that hold it. */
  readonly filter: Filter;
}

/** Values that mean themselves in a query, on any server. */
const PLAIN = [Binary, Decimal128, Double, Int32, Long, ObjectId, Date];

/** Undefined where no index makes values unique that can be asked for with certainty. */
export async function uniqueRules(
  server: Server,
  collection: string,
  signal: AbortSignal,
): Promise<UniqueRules | undefined> {
  const indexes = (await listIndexes(server, collection, signal)).filter(isPlainUnique);
  if (indexes.length === 0) return undefined;
  const known = new WeakMap<UniqueValue, Filter>();
  return {
    valuesOf({ bytes }) {
      const content = toOrdered(bytes);
      const values = indexes
        .map((index) => uniqueValueOf(index, content))
        .filter((value) => value !== undefined);
      for (const value of values) known.set(value, value.filter);
      return values;
    },
    async holderOf(value, until) {
      const filter = known.get(value);
      if (filter === undefined) throw new RangeError("a value of other rules");
      const options = { collection, filter, order: "any", documentBytes: ANY_SIZE } as const;
      for await (const batch of readBatches(server, { ...options, signal: until })) {
        const { element } = batch.idOf(0);
        return new DocumentId(Uint8Array.from(element));
      }
      return undefined;
    },
  };
}

/** With a collation, other values may count as the same. */
function isPlainUnique(index: Metadata): boolean {
  return index.get("unique") === true && !index.has("collation");
}

/** Undefined where the documents that hold such a value cannot be asked for with certainty. */
function uniqueValueOf(index: Metadata, content: Metadata): IndexedValue | undefined {
  const paths = index.get("key");
  if (!(paths instanceof Map)) return undefined;
  const values = [...(paths.keys() as MapIterator<string>)].map(
    (path) => [path, valueAt(content, path)] as const,
  );
  if (!values.every(([, value]) => isPlain(value))) return undefined;
  const filter = new Map<string, unknown>(values.map(([path, value]) => [path, new Map([["$eq", value]])]));
  // Only documents that the index holds. Whether it is to hold this one is not asked: it claims a value too many, then.
  const part = index.get("partialFilterExpression");
  if (part !== undefined) filter.set("$and", [part]);
  // As the server compares values: 1, Long 1 and 1.0 are one.
  const { key } = new DocumentId(idElement(serialize(new Map([["_id", new Map(values)]]))));
  return { key: `${JSON.stringify(index.get("name"))}${key}`, filter };
}

function valueAt(content: Metadata, path: string): unknown {
  let value: unknown = content;
  for (const name of path.split(".")) value = value instanceof Map ? value.get(name) : undefined;
  return value;
}

function isPlain(value: unknown): boolean {
  return (
    typeof value === "string" || typeof value === "boolean" || PLAIN.some((type) => value instanceof type)
  );
}
