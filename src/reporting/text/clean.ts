import { type Redactor, safeText } from "../../redact/redact.ts";

/** Makes a text fit to be shown. */
export type Clean = (text: string) => string;

/** For people: without secrets, and with every control character made visible. Secrets first, while they are whole. */
export function cleanText(redactor: Redactor): Clean {
  return (text) => safeText(redactor.redact(text));
}

/** For programs: without secrets, and otherwise as it is; the JSON writer escapes. */
export function cleanData(redactor: Redactor): Clean {
  return (text) => redactor.redact(text);
}

/**
 * A copy of `value` in which every string, however deep, went through `clean`. Plans and reports pass here as a whole
 * when they come in, so that a field that is added later cannot be forgotten. Plain objects, arrays and dates only.
 */
export function cleaned<T>(value: T, clean: Clean): T {
  return walk(value, clean) as T;
}

function walk(value: unknown, clean: Clean): unknown {
  if (typeof value === "string") {
    return clean(value);
  }
  if (Array.isArray(value)) {
    return value.map((entry) => walk(entry, clean));
  }
  if (typeof value === "object" && value !== null && !(value instanceof Date)) {
    return Object.fromEntries(Object.entries(value).map(([name, entry]) => [name, walk(entry, clean)]));
  }
  return value;
}
