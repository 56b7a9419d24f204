/** What a server says about single documents of a write. */
import type { Document } from "mongodb";
import { codeText, isTransient } from "./faults.ts";

const DUPLICATE_KEY = 11000;

export interface WriteError {
  readonly index: number;
  readonly code: number;
  /** The server's own words, which may quote values: only to find out what is meant, never to be shown. */
  readonly message: string;
  /** Names of the fields of the violated index. */
  readonly fields: readonly string[];
}

export function readErrors(writeErrors: unknown): WriteError[] {
  if (!Array.isArray(writeErrors)) return [];
  return writeErrors.map((error: Document) => ({
    index: Number(error.index),
    code: Number(error.code),
    message: typeof error.errmsg === "string" ? error.errmsg : "",
    fields: Object.keys((error.keyPattern as object | undefined) ?? {}),
  }));
}

/** A document with this `_id` is there already. */
export function isTaken(error: WriteError): boolean {
  // Servers before 4.4 do not say the key pattern; then the documents are looked up.
  const onId = error.fields.length === 0 || (error.fields.length === 1 && error.fields[0] === "_id");
  return error.code === DUPLICATE_KEY && onId;
}

/** Not about the document: a router reports a shard without a primary in this way, some services too many requests. */
export function isServerState({ code }: WriteError): boolean {
  return isTransient({ code });
}

/** Another document holds a value that must be unique. */
export function isBlocked(error: WriteError): boolean {
  return error.code === DUPLICATE_KEY && !isTaken(error);
}

export function reasonOf(error: WriteError): string {
  if (error.code === DUPLICATE_KEY) {
    return `another document of the target has the same value in the unique index on ${error.fields.join(", ")}`;
  }
  return `the target's server refused it (${codeText({ name: "", code: error.code, codeName: undefined })})`;
}
