import type { Connector } from "../connector.ts";
import { hasKv, KV_VARIABLES, type KvLocation, kvLocation } from "./location.ts";

export const kv: Connector<KvLocation> = {
  kind: "kv",
  words: {
    store: "a KV store",
    collection: "key",
    collections: "keys",
    documents: "documents",
    comparedBy: "byte for byte",
    whenEmpty: "Check the address in the URL.",
    notUndone: "times of expiry stay",
  },
  serves: {
    diff: ["source", "target"],
    restore: ["target"],
    "sync-kv": ["source", "target"],
  },
  hasMetadata: false,
  variablePrefixes: ["KV_", "UPSTASH_"],
  forms: ["kv"],
  primary: {
    name: "KV",
    copiedBy: "sync-kv",
    commands: ["sync-kv", "diff", "restore"],
    variables: KV_VARIABLES,
    isSet: hasKv,
    locate: kvLocation,
  },
  parse: (text, _, environment) => (text === "kv" ? kvLocation(environment) : undefined),
  advise: (text) =>
    /^rediss?:|^https?:.*upstash/i.test(text)
      ? "For Vercel KV or Upstash write kv and set its variables."
      : undefined,
  secrets: ({ token }) => [token],
  isSame: (left, right) => left.label === right.label,
  place: ({ url, label }) => ({ hosts: [new URL(url).host], database: label }),
};
