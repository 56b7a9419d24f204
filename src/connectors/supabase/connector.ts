import type { Connector } from "../connector.ts";
import { hasSupabase, SUPABASE_VARIABLES, type SupabaseLocation, supabaseLocation } from "./location.ts";
import { SUPABASE_WORDS } from "./words.ts";

/** The only schema whose tables a project shows by default. */
const SCHEMA = "public";

export const supabase: Connector<SupabaseLocation> = {
  kind: "supabase",
  words: SUPABASE_WORDS,
  serves: {
    backfill: ["source"],
    diff: ["source", "target"],
    repair: ["source"],
    undo: ["target"],
    restore: ["target"],
  },
  hasMetadata: false,
  // Mongoose makes a plural of a model's name.
  usualRenames: new Map([["shop", "shops"]]),
  variablePrefixes: ["SUPABASE_", "NEXT_PUBLIC_SUPABASE_"],
  forms: ["supabase"],
  primary: {
    name: "Supabase",
    copiedBy: "backfill",
    commands: ["backfill", "diff", "restore"],
    variables: SUPABASE_VARIABLES,
    isSet: hasSupabase,
    locate: supabaseLocation,
  },
  parse: (text, _, environment) => (text === "supabase" ? supabaseLocation(environment) : undefined),
  advise: (text) =>
    /^postgres(?:ql)?:|^https?:.*supabase/i.test(text)
      ? "For a Supabase project write supabase and set its variables."
      : undefined,
  secrets: ({ key }) => [key],
  isSame: (left, right) => left.label === right.label,
  place: ({ url }) => ({ hosts: [new URL(url).host], database: SCHEMA, name: projectName(url) }),
  async open({ url, key, label }, { role, retries, signal }) {
    const opened = await import("./supabase.ts");
    return await opened.supabase({ url, key, schema: SCHEMA, label, role, retries }, signal);
  },
  failures: async () => (await import("./api/failures.ts")).FAILURES,
};

/** The reference of a hosted project, as its dashboard shows it; of every other one the host. */
function projectName(url: string): string {
  const { host } = new URL(url);
  return /^([a-z0-9]+)\.supabase\.(?:co|in|net)$/.exec(host)?.[1] ?? host;
}
