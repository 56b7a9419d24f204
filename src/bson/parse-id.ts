import { BSON, EJSON, Int32, Long, ObjectId } from "bson";
import { printId } from "./print-id.ts";

/**
 * The type byte and value bytes of the `_id` that `printId` prints as this text; undefined: it is no such text, or was cut. A number without a point is an int32
 * where it fits.
 */
export function parseId(text: string): Uint8Array | undefined {
  try {
    const bytes = BSON.serialize({ _id: idOf(text) }, { ignoreUndefined: false });
    // Behind the length and the type stands the name, behind the value the end of the document.
    const element = Uint8Array.of(bytes[4] ?? 0, ...bytes.subarray("xxxx_".length + "_id\0".length, -1));
    // What prints otherwise would be another id.
    return printId(element) === text ? element : undefined;
  } catch {
    return undefined;
  }
}

function idOf(text: string): unknown {
  if (/^[0-9a-fA-F]{24}$/.test(text)) return new ObjectId(text);
  if (/^-?\d{1,10}$/.test(text)) return new Int32(Number(text));
  if (/^(?:\{|\[|"|true$|false$|null$)/.test(text)) return exact(EJSON.parse(text, { relaxed: false }));
  return text;
}

/** Whole numbers of Extended JSON stand for int32 here. */
function exact(value: unknown): unknown {
  if (typeof value === "number" && Number.isInteger(value)) return new Int32(value);
  if (typeof value === "bigint") return Long.fromBigInt(value);
  if (Array.isArray(value)) return value.map(exact);
  const isPlain =
    typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype;
  return isPlain
    ? Object.fromEntries(Object.entries(value as object).map(([name, one]) => [name, exact(one)]))
    : value;
}
