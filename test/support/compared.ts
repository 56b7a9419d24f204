import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { withDatabase } from "../services/mongodb/mongodb.ts";
import type { FaultRule } from "../services/wire-proxy/faults/faults.ts";
import { type CliOptions, dualsync, records } from "./cli.ts";
import type { ServerPair } from "./stores/pair.ts";

type Json = Record<string, unknown>;

/** What `diff --json` printed. */
export interface Compared {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly differences: readonly Json[];
  /** Undefined when it ended by an error. */
  readonly summary: Json | undefined;
  readonly error: Json | undefined;
}

export interface CompareOptions extends Pick<CliOptions, "cwd" | "onStart" | "bin" | "env"> {
  /** Default: the pair's, of the test that runs. */
  readonly database?: string;
}

/** Runs `dualsync diff --json` on the pair, looking quickly unless a flag says otherwise. */
export async function compare(
  pair: ServerPair,
  flags: readonly string[] = [],
  { database = pair.database, env: more, ...options }: CompareOptions = {},
): Promise<Compared> {
  const env = {
    ...more,
    LIVE: withDatabase(pair.source.uri, database),
    COPY: withDatabase(pair.target.uri, database),
  };
  const quick = flags.includes("--settle") ? [] : ["--settle", "0.3"];
  const args = ["diff", "--json", "--from", "env:LIVE", "--to", "env:COPY", ...quick, ...flags];
  const { code, stdout, stderr } = await dualsync(args, { env, ...options });
  const reported = readable(stdout);
  return {
    ...{ code, stdout, stderr },
    differences: reported.filter(({ type }) => type === "diff"),
    summary: reported.find(({ type }) => type === "summary"),
    error: reported.find(({ type }) => type === "error"),
  };
}

/** A process that was killed may leave half a line. */
function readable(stdout: string): Json[] {
  return records(stdout.slice(0, stdout.lastIndexOf("\n") + 1));
}

/** "changed 17", sorted: what is wrong with which document. */
export function findings({ differences }: Compared): string[] {
  return differences.map(({ kind, id, key }) => `${kind} ${id ?? key}`).sort();
}

/** What `diff --json` says of one collection. */
export function collectionOf({ stdout }: Compared, name: string): Json | undefined {
  return readable(stdout).find(({ type, collection }) => type === "collection" && collection === name);
}

/** What a server of before 9.0 says to the operators that hash a document. */
export const CANNOT_HASH: FaultRule = {
  on: "aggregate",
  mentions: "$hash",
  every: 1,
  error: { code: 168, codeName: "InvalidPipelineOperator", errmsg: "Unrecognized expression '$hash'" },
};

/** Which sides hash their documents themselves, and how the comparison is done then. */
export const TIERS = [
  { name: "both sides hash", refusing: [], tier: "hashes" },
  { name: "only the source hashes", refusing: ["targetProxy"], tier: "source-hashes" },
  { name: "only the target hashes", refusing: ["sourceProxy"], tier: "target-hashes" },
  { name: "both sides are read", refusing: ["sourceProxy", "targetProxy"], tier: "bytes" },
] as const;

/** A text that makes a collection large enough to be hashed: what is smaller is read at once. */
export const PADDING = "x".repeat(140_000);

/** Takes the power to hash away from sides of a pair with proxies, for this test. */
export function refuseHashes(pair: ServerPair, sides: readonly ("sourceProxy" | "targetProxy")[]): void {
  for (const side of sides) pair[side].fail(CANNOT_HASH);
}

/** A folder that stays for this test: what a run remembers is found by the next. */
export function folder(): string {
  const path = mkdtempSync(join(tmpdir(), "dualsync-diff-"));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}
