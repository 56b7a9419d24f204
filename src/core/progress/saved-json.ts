/** Reads what was written down as JSON. Every field is validated: all of these throw on what they do not expect. */

import type { IdRange } from "../../connectors/collection.ts";
import { DocumentId } from "../../model/document.ts";

export type Json = Readonly<Record<string, unknown>>;

export function rangeToJson({ from, to }: IdRange): (string | null)[] {
  return [from, to].map((id) => (id === undefined ? null : idToJson(id)));
}

export function rangeFromJson([from, to]: readonly unknown[]): IdRange {
  return {
    from: from === null ? undefined : idFromJson(from),
    to: to === null ? undefined : idFromJson(to),
  };
}

export function idToJson({ element }: DocumentId): string {
  return Buffer.from(element).toString("base64");
}

export function idFromJson(content: unknown): DocumentId {
  const element = Buffer.from(text(content), "base64");
  if (element.length === 0) throw new TypeError("an id without bytes");
  const id = new DocumentId(element);
  if (id.key === "") throw new TypeError("an id without a key"); // also fails on bytes that are not an id
  return id;
}

export function object(content: unknown): Json {
  if (typeof content !== "object" || content === null || Array.isArray(content))
    throw new TypeError("object");
  return content as Json;
}

export function list(content: unknown): readonly unknown[] {
  if (!Array.isArray(content)) throw new TypeError("list");
  return content;
}

export function text(content: unknown): string {
  if (typeof content !== "string") throw new TypeError("text");
  return content;
}

export function count(content: unknown): number {
  if (typeof content !== "number" || !Number.isSafeInteger(content) || content < 0)
    throw new TypeError("count");
  return content;
}

export function date(content: unknown): Date {
  const found = new Date(text(content));
  if (Number.isNaN(found.getTime())) throw new TypeError("date");
  return found;
}
