import { TYPE } from "./elements.ts";

/** Names of BSON types as MongoDB's `$type` has them. */
const NAMES: ReadonlyMap<number, string> = new Map([
  [TYPE.double, "double"],
  [TYPE.string, "string"],
  [TYPE.object, "object"],
  [TYPE.array, "array"],
  [TYPE.binary, "binData"],
  [TYPE.undefined, "undefined"],
  [TYPE.objectId, "objectId"],
  [TYPE.boolean, "bool"],
  [TYPE.date, "date"],
  [TYPE.null, "null"],
  [TYPE.regex, "regex"],
  [TYPE.dbPointer, "dbPointer"],
  [TYPE.code, "javascript"],
  [TYPE.symbol, "symbol"],
  [TYPE.codeWithScope, "javascriptWithScope"],
  [TYPE.int32, "int"],
  [TYPE.timestamp, "timestamp"],
  [TYPE.int64, "long"],
  [TYPE.decimal128, "decimal"],
  [TYPE.maxKey, "maxKey"],
  [TYPE.minKey, "minKey"],
]);

/** The name of a type byte; its number in hex for what is not a BSON type. */
export function typeName(type: number): string {
  return NAMES.get(type) ?? `0x${type.toString(16)}`;
}
