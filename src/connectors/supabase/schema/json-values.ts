/** Reads the JSON of catalogs and blueprints: all of these throw a TypeError on what they do not expect. */

export function object(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new TypeError("no object");
  return value as Record<string, unknown>;
}

export function list(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw new TypeError("no list");
  return value;
}

export function text(value: unknown): string {
  if (typeof value !== "string") throw new TypeError("no text");
  return value;
}

export function flag(value: unknown): boolean {
  if (typeof value !== "boolean") throw new TypeError("no truth value");
  return value;
}

export function whole(value: unknown): number {
  if (typeof value !== "number" || !Number.isSafeInteger(value)) throw new TypeError("no whole number");
  return value;
}
