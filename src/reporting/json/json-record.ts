import type { ReportingContext } from "../context.ts";
import type { TextStream } from "../streams.ts";
import { cleanData, cleaned } from "../text/clean.ts";

export type Emit = (type: string, body: object) => void;

/** Writes records with the fields that all of them have; a body cannot change those. */
export function recordEmitter({ stdout, redactor, runId, command }: ReportingContext): Emit {
  const clean = cleanData(redactor);
  return (type, body) => {
    const common = { v: 1, type, ts: new Date().toISOString(), run: runId, command };
    writeRecord(stdout, cleaned({ ...common, ...body, ...common }, clean));
  };
}

/** Absent values are null, so that every record of a type has the same fields. Nothing invisible leaves unescaped. */
function writeRecord(stdout: TextStream, record: object): void {
  const text = JSON.stringify(record, (_, value: unknown) => value ?? null);
  stdout.write(`${text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, escaped)}\n`);
}

function escaped(character: string): string {
  return character
    .split("")
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)
    .join("");
}

/** `exact`: whether documents count as equal only if they are so byte for byte. */
export function withExact<C extends { readonly anyFieldOrder?: true | undefined }>({
  anyFieldOrder,
  ...collection
}: C): Omit<C, "anyFieldOrder"> & { exact: boolean } {
  return { ...collection, exact: anyFieldOrder !== true };
}

/** In records the kind of a collection is what its store calls it. */
export function withType<C extends { readonly kind: string; readonly type: string }>({
  type,
  ...collection
}: C): Omit<C, "type"> {
  return { ...collection, kind: type };
}
