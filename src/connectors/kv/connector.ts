import type { Connector } from "../connector.ts";
import { hasKv, KV_VARIABLES, type KvLocation, kvLocation, withKvPrefix, withoutKv } from "./location.ts";
import { KV_WORDS } from "./words.ts";

export const kv: Connector<KvLocation> = {
  kind: "kv",
  words: KV_WORDS,
  serves: {
    diff: ["source", "target"],
    undo: ["target"],
    restore: ["target"],
    "sync-kv": ["source", "target"],
  },
  hasMetadata: false,
  variablePrefixes: ["KV_", "UPSTASH_"],
  forms: ["kv"],
  primary: {
    name: "KV",
    copiedBy: "sync-kv",
    refilledBy: "sync-kv --direction to-kv",
    commands: ["sync-kv", "diff", "restore"],
    variables: KV_VARIABLES,
    isSet: hasKv,
    lacking: withoutKv,
    locate: kvLocation,
  },
  parse: (text, _, environment) => (text === "kv" ? kvLocation(environment) : undefined),
  advise: (text) =>
    /^rediss?:|^https?:.*upstash/i.test(text)
      ? "For Vercel KV or Upstash write kv and set its variables."
      : undefined,
  withPrefix: withKvPrefix,
  secrets: ({ token }) => [token],
  isSame: (left, right) => left.label === right.label,
  layouts: async () => (await import("./layouts/layouts.ts")).keyLayouts,
  place: ({ url, label }) => ({ hosts: [new URL(url).host], database: label }),
  async open({ url, token, label }, { role, retries, brief, signal }) {
    const { openKv } = await import("./kv.ts");
    return await openKv({ url, token, label, role, retries, brief }, signal);
  },
  failures: async () => (await import("./api/failures.ts")).FAILURES,
};
