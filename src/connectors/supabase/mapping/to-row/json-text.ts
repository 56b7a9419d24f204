import { JsonNumber, type JsonValue } from "../../../../json/json-reader.ts";
import { quoted } from "../../../../json/quoted.ts";

/** How the parts of a JSON text are set: `jsonb` is Postgres's own style, with a space after `,` and `:`. */
export type JsonStyle = "json" | "jsonb";

/**
 * A JSON value as text. `printNumber` gives what to write for a number; undefined: the value cannot be printed, and neither
 * can what it is part of.
 */
export function jsonText(
  value: JsonValue,
  style: JsonStyle = "json",
  printNumber: (text: string) => string | undefined = (text) => text,
): string | undefined {
  const comma = style === "json" ? "," : ", ";
  const colon = style === "json" ? ":" : ": ";
  return print(value);

  function print(part: JsonValue): string | undefined {
    if (typeof part === "string") return quoted(part);
    if (part instanceof JsonNumber) return printNumber(part.text);
    if (part === null || typeof part === "boolean") return String(part);
    return part instanceof Map ? members(part) : items(part as readonly JsonValue[]);
  }

  function items(array: readonly JsonValue[]): string | undefined {
    let text = "[";
    for (let i = 0; i < array.length; i++) {
      const printed = print(array[i] as JsonValue);
      if (printed === undefined) return undefined;
      text += i === 0 ? printed : comma + printed;
    }
    return `${text}]`;
  }

  function members(object: ReadonlyMap<string, JsonValue>): string | undefined {
    let text = "{";
    for (const [name, member] of object) {
      const printed = print(member);
      if (printed === undefined) return undefined;
      text += `${text === "{" ? "" : comma}${quoted(name)}${colon}${printed}`;
    }
    return `${text}}`;
  }
}
