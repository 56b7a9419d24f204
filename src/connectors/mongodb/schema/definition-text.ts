import { EJSON } from "bson";
import { RawValue } from "../../../bson/leaf.ts";
import { typeName } from "../../../bson/type-name.ts";
import { cutText } from "../../../model/cut-text.ts";

const LONGEST = 200;
/** Shown before the place where two long texts part. */
const BEFORE = 60;

/** "source true, target absent": what two sides say, cut around the first place where they differ. */
export function sidesText(source: unknown, target: unknown): string {
  const plain = [source, target].map((value) => textOf(value, true));
  // Values that differ in their types alone.
  const [one = "", other = ""] =
    plain[0] === plain[1] ? [textOf(source, false), textOf(target, false)] : plain;
  let place = 0;
  while (place < one.length && one[place] === other[place]) place++;
  return `source ${around(one, place)}, target ${around(other, place)}`;
}

/** A part of a definition as Extended JSON, fields in stored order, cut. */
export function definitionText(value: unknown): string {
  return cutText(textOf(value, true), LONGEST);
}

function around(text: string, place: number): string {
  if (text.length <= LONGEST || place < LONGEST - BEFORE) return cutText(text, LONGEST);
  return `…${cutText(text.slice(place - BEFORE).replace(/^[\udc00-\udfff]/, ""), LONGEST)}`;
}

/** Written here and not by EJSON, which would move names that look like numbers to the front. */
function textOf(value: unknown, relaxed: boolean): string {
  if (value === undefined) return "absent";
  if (value instanceof Map) {
    const fields = [...value].map(([name, inner]) => `${JSON.stringify(name)}:${textOf(inner, relaxed)}`);
    return `{${fields.join(",")}}`;
  }
  if (Array.isArray(value)) return `[${value.map((inner) => textOf(inner, relaxed)).join(",")}]`;
  if (value instanceof RawValue)
    return `${typeName(value.type)} 0x${Buffer.from(value.bytes).toString("hex")}`;
  return EJSON.stringify(value, { relaxed });
}
