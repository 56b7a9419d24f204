import { TYPE } from "../../src/bson/elements.ts";

/** One BSON value: its type and its bytes. Made by hand, so that it can be what no package would write. */
export interface BsonValue {
  readonly type: number;
  readonly bytes: Buffer;
}

export function int32(value: number): BsonValue {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value);
  return { type: TYPE.int32, bytes };
}

/** Any of the types of eight bytes: int64, date, timestamp. */
export function eightBytes(type: number, value: bigint): BsonValue {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt.asUintN(64, value));
  return { type, bytes };
}

export function int64(value: bigint): BsonValue {
  return eightBytes(TYPE.int64, value);
}

export function double(value: number): BsonValue {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return { type: TYPE.double, bytes };
}

/** The canonical decimal128 of `±coefficient × 10^exponent`. Throws when it has no room. */
export function decimal(coefficient: bigint, exponent: number, negative = false): BsonValue {
  if (coefficient < 0n || coefficient >= 10n ** 34n || exponent < -6176 || exponent > 6111) {
    throw new RangeError(`no decimal128: ${coefficient}e${exponent}`);
  }
  return decimalBits((BigInt(negative) << 127n) | (BigInt(exponent + 6176) << 113n) | coefficient);
}

export function decimalBits(bits: bigint): BsonValue {
  const bytes = Buffer.alloc(16);
  bytes.writeBigUInt64LE(BigInt.asUintN(64, bits), 0);
  bytes.writeBigUInt64LE(BigInt.asUintN(64, bits >> 64n), 8);
  return { type: TYPE.decimal128, bytes };
}

/** String, symbol or code; `content` as text or as bytes. */
export function text(type: number, content: string | Buffer): BsonValue {
  const characters = Buffer.from(content as string);
  return { type, bytes: Buffer.concat([int32(characters.length + 1).bytes, characters, Buffer.alloc(1)]) };
}

export function binary(subtype: number, content: Buffer): BsonValue {
  // The old subtype 2 repeats the length inside.
  const inner = subtype === 2 ? Buffer.concat([int32(content.length).bytes, content]) : content;
  return { type: TYPE.binary, bytes: Buffer.concat([int32(inner.length).bytes, Buffer.of(subtype), inner]) };
}

export function regex(pattern: string, flags: string): BsonValue {
  return { type: TYPE.regex, bytes: Buffer.from(`${pattern}\0${flags}\0`) };
}

export function dbPointer(namespace: string, id: Buffer): BsonValue {
  return { type: TYPE.dbPointer, bytes: Buffer.concat([text(TYPE.string, namespace).bytes, id]) };
}

export function object(fields: readonly (readonly [string | Buffer, BsonValue])[]): BsonValue {
  return { type: TYPE.object, bytes: documentBytes(fields) };
}

export function array(values: readonly BsonValue[]): BsonValue {
  return { type: TYPE.array, bytes: documentBytes(values.map((value, index) => [String(index), value])) };
}

export function codeWithScope(code: string, scope: BsonValue): BsonValue {
  const content = Buffer.concat([text(TYPE.code, code).bytes, scope.bytes]);
  return { type: TYPE.codeWithScope, bytes: Buffer.concat([int32(content.length + 4).bytes, content]) };
}

/** Values without bytes: null, undefined, MinKey, MaxKey. */
export function bare(type: number): BsonValue {
  return { type, bytes: Buffer.alloc(0) };
}

export function boolean(value: boolean): BsonValue {
  return { type: TYPE.boolean, bytes: Buffer.of(Number(value)) };
}

export function documentBytes(fields: readonly (readonly [string | Buffer, BsonValue])[]): Buffer {
  const parts = fields.flatMap(([name, { type, bytes }]) => [
    Buffer.of(type),
    Buffer.from(name as string),
    Buffer.alloc(1),
    bytes,
  ]);
  const length = 5 + parts.reduce((sum, part) => sum + part.length, 0);
  return Buffer.concat([int32(length).bytes, ...parts, Buffer.alloc(1)]);
}

/** What the modules under test take: the type byte and the value's bytes. */
export function element({ type, bytes }: BsonValue): Uint8Array {
  return Buffer.concat([Buffer.of(type), bytes]);
}
