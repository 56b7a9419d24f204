import type { IncomingHttpHeaders } from "node:http";
import { PostgrestError } from "../answer/errors.ts";

/** What the header `Prefer` asks for, and this gateway knows. */
export interface Preferences {
  readonly resolution?: "merge-duplicates" | "ignore-duplicates";
  readonly missing?: "default" | "null";
  readonly return?: "representation" | "headers-only" | "minimal";
  readonly count?: "exact" | "planned" | "estimated";
  readonly handling?: "strict" | "lenient";
  readonly timezone?: string;
  readonly maxAffected?: number;
}

const VALUES: Readonly<Record<string, readonly string[]>> = {
  resolution: ["merge-duplicates", "ignore-duplicates"],
  missing: ["default", "null"],
  return: ["representation", "headers-only", "minimal"],
  count: ["exact", "planned", "estimated"],
  tx: ["commit", "rollback"],
  handling: ["strict", "lenient"],
};

/** Reads `Prefer`. The first of two values of a name counts; unknown ones are ignored, or refused when strict. */
export function readPreferences(headers: IncomingHttpHeaders, timezones: ReadonlySet<string>): Preferences {
  const found = new Map<string, string>();
  const invalid: string[] = [];
  for (const item of String(headers.prefer ?? "").split(",")) {
    const preference = item.trim();
    if (preference === "") continue;
    const [name = "", value = ""] = preference.split(/=(.*)/s);
    const known =
      name === "timezone"
        ? timezones.has(value)
        : name === "max-affected"
          ? /^\d+$/.test(value)
          : VALUES[name]?.includes(value) === true;
    if (!known) invalid.push(preference);
    else if (!found.has(name)) found.set(name, value);
  }
  const strict = found.get("handling") === "strict";
  if (strict && invalid.length > 0) {
    const message = "Invalid preferences given with handling=strict";
    const details = `Invalid preferences: ${invalid.join(", ")}`;
    throw new PostgrestError(400, "PGRST122", message, { details });
  }
  const limit = found.get("max-affected");
  found.delete("max-affected");
  return {
    ...(Object.fromEntries(found) as Preferences),
    ...(strict && limit !== undefined ? { maxAffected: Number(limit) } : {}),
  };
}

/** The header that tells which of `names` were honoured, in PostgREST's order. */
export function applied(
  preferences: Preferences,
  names: readonly (keyof Preferences)[],
): Record<string, string> {
  const order = ["resolution", "missing", "return", "count", "handling", "timezone", "maxAffected"] as const;
  const parts = order
    .filter((name) => names.includes(name) && preferences[name] !== undefined)
    .map((name) => `${name === "maxAffected" ? "max-affected" : name}=${preferences[name]}`);
  return parts.length === 0 ? {} : { "Preference-Applied": parts.join(", ") };
}
