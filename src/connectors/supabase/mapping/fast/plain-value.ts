/** Values as Postgres usually writes them, from the bytes of a page straight into a document: most values are. */
import { TYPE } from "../../../../bson/elements.ts";
import type { BsonWriter } from "../../../../bson/writer.ts";
import type { Name } from "../../../../json/json-bson.ts";
import type { Kind } from "../../schema/column-type.ts";
import type { Field } from "../layout.ts";
import { writePlainJson } from "./plain-json.ts";
import { PlainNumber } from "./plain-number.ts";
import { isWholeMilliseconds, plainTime } from "./plain-time.ts";
import type { Token } from "./row-scanner.ts";

const INT32_MOST = 2_147_483_647;
const LEAST = { int2: -32_768, int4: -INT32_MOST - 1 } as const;
const MOST = { int2: 32_767, int4: INT32_MOST } as const;
const NULL = Buffer.from("null");
const [QUOTE, LETTER_N, LETTER_T, LETTER_F] = [0x22, 0x6e, 0x74, 0x66];
const WORDS = { [LETTER_T]: Buffer.from("true"), [LETTER_F]: Buffer.from("false") } as const;

const number = new PlainNumber();

/**
 * Does what `writeField` does, with the same result, for a value in its type's usual form; undefined for any other, of which
 * nothing is written then.
 */
export function writePlainField(
  writer: BsonWriter,
  { type, name, column }: Field,
  page: Buffer,
  token: Token,
): boolean | undefined {
  if (page[token.start] === LETTER_N) {
    if (!isAt(page, token, NULL)) return undefined;
    writer.element(TYPE.null, name);
    return true;
  }
  if (type.isArray) return undefined;
  if (type.kind === "json" || type.kind === "jsonb")
    return page[token.start] === QUOTE ? writePlainJson(writer, name, page, token, type.kind) : undefined;
  return writePlain(writer, type.kind, column.scale, page, token, name);
}

/** Types whose values are the same in a key. */
const SAME_IN_KEYS: ReadonlySet<Kind> = new Set(["int2", "int4", "int8", "bool", "uuid", "date", "text"]);

/** Does what `writeKey` does, in the same way. */
export function writePlainKey(
  writer: BsonWriter,
  { type }: Field,
  page: Buffer,
  token: Token,
  name: Uint8Array,
): boolean | undefined {
  if (type.isArray || !SAME_IN_KEYS.has(type.kind)) return undefined;
  return writePlain(writer, type.kind, undefined, page, token, name);
}

function writePlain(
  writer: BsonWriter,
  kind: Kind,
  scale: number | undefined,
  page: Buffer,
  token: Token,
  name: Name,
): boolean | undefined {
  switch (kind) {
    case "int2":
    case "int4":
    case "int8":
      return writeInteger(writer, kind, page, token, name);
    case "numeric":
    case "float4":
    case "float8":
      if (!number.read(page, token.start, token.end)) return undefined;
      writer.element(TYPE.double, name);
      writer.double(number.value);
      return kind !== "numeric" || number.fraction === Math.max(number.kept, scale ?? 0);
    case "timestamp":
    case "timestamptz":
      return writeTime(writer, kind, page, token, name);
    case "bool":
      return writeBoolean(writer, page, token, name);
    case "uuid":
    case "date":
    case "text":
    case "other":
      if (token.isCoded) return undefined;
      writer.element(TYPE.string, name);
      writer.stringBytes(page, token.start + 1, token.end - 1);
      return true;
    default:
      return undefined;
  }
}

function writeInteger(
  writer: BsonWriter,
  kind: "int2" | "int4" | "int8",
  page: Buffer,
  { start, end }: Token,
  name: Name,
): boolean | undefined {
  if (!number.read(page, start, end) || !number.isWhole) return undefined;
  const { value } = number;
  if (kind === "int8") {
    writer.element(TYPE.int64, name);
    writer.int64(value);
    return true;
  }
  if (value < LEAST[kind] || value > MOST[kind]) return undefined;
  writer.element(TYPE.int32, name);
  writer.int32(value);
  return true;
}

function writeTime(
  writer: BsonWriter,
  kind: "timestamp" | "timestamptz",
  page: Buffer,
  token: Token,
  name: Name,
): boolean | undefined {
  if (token.isCoded) return undefined;
  const [start, end] = [token.start + 1, token.end - 1];
  const milliseconds = plainTime(kind, page, start, end);
  if (Number.isNaN(milliseconds)) return undefined;
  writer.element(TYPE.date, name);
  writer.int64(milliseconds);
  return isWholeMilliseconds(kind, page, start, end);
}

function writeBoolean(writer: BsonWriter, page: Buffer, token: Token, name: Name): boolean | undefined {
  const word = WORDS[page[token.start] as keyof typeof WORDS];
  if (word === undefined || !isAt(page, token, word)) return undefined;
  writer.element(TYPE.boolean, name);
  writer.boolean(page[token.start] === LETTER_T);
  return true;
}

function isAt(page: Buffer, { start, end }: Token, word: Uint8Array): boolean {
  if (end - start !== word.length) return false;
  for (let i = 0; i < word.length; i++) if (page[start + i] !== word[i]) return false;
  return true;
}
