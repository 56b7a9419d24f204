import { TYPE } from "./elements.ts";

/** BSON types in the server's order; those in one group are compared by value, whatever their type. */
const TYPE_ORDER: readonly (readonly number[])[] = [
  [TYPE.minKey],
  [TYPE.undefined],
  [TYPE.null],
  [TYPE.double, TYPE.int32, TYPE.int64, TYPE.decimal128],
  [TYPE.string, TYPE.symbol],
  [TYPE.object],
  [TYPE.array],
  [TYPE.binary],
  [TYPE.objectId],
  [TYPE.boolean],
  [TYPE.date],
  [TYPE.timestamp],
  [TYPE.regex],
  [TYPE.dbPointer],
  [TYPE.code],
  [TYPE.codeWithScope],
  [TYPE.maxKey],
];

/** By type byte, from 1; 0 is not a BSON type. */
const RANKS = new Uint8Array(256);
for (const [place, types] of TYPE_ORDER.entries()) {
  for (const type of types) RANKS[type] = place + 1;
}

/** The place of a type in the server's order of values. Throws RangeError for what is not a BSON type. */
export function typeRank(type: number): number {
  const rank = RANKS[type] ?? 0;
  if (rank === 0) throw new RangeError(`invalid BSON: unknown type 0x${type.toString(16)}`);
  return rank;
}
