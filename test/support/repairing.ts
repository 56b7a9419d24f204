import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { withDatabase } from "../services/mongodb/mongodb.ts";
import { type CliOptions, type CliResult, dualsync, records, summary } from "./cli.ts";
import { snapshot } from "./data/snapshot.ts";
import type { ServerPair } from "./stores/pair.ts";

export interface Row {
  readonly _id: unknown;
  readonly [field: string]: unknown;
}

/** What `repair --json` printed. */
export interface Repaired extends CliResult {
  readonly run: string;
  readonly verdict: string;
  readonly items: readonly { readonly key: string; readonly reason: string }[];
  readonly collections: Readonly<Record<string, unknown>>[];
}

/** A pair that is compared and repaired in a folder of its own, which lasts as long as the test. */
export class RepairContext {
  readonly folder: string;
  readonly #pair: ServerPair;
  readonly #database: string;

  constructor(pair: ServerPair, database = pair.database) {
    this.#pair = pair;
    this.#database = database;
    this.folder = mkdtempSync(join(tmpdir(), "dualsync-repair-"));
    onTestFinished(() => rmSync(this.folder, { recursive: true, force: true }));
  }

  get path(): string {
    return join(this.folder, "repair.plan");
  }

  /** The plan, line by line, without the end of the last. */
  get lines(): string[] {
    return readFileSync(this.path, "utf8").trimEnd().split("\n");
  }

  set lines(lines: readonly string[]) {
    writeFileSync(this.path, `${lines.join("\n")}\n`);
  }

  get env(): Record<string, string> {
    return {
      LIVE: withDatabase(this.#pair.source.uri, this.#database),
      COPY: withDatabase(this.#pair.target.uri, this.#database),
    };
  }

  async run(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
    return await dualsync(args, { env: this.env, cwd: this.folder, ...options });
  }

  async diff(...flags: string[]): Promise<CliResult> {
    const args = ["diff", "--json", "--from", "env:LIVE", "--to", "env:COPY", "--settle", "0", ...flags];
    return await this.run(args);
  }

  /** Writes the plan; fails unless there are differences. */
  async plan(...flags: string[]): Promise<void> {
    const { code, stdout, stderr } = await this.diff("--plan", "repair.plan", ...flags);
    if (code !== 1) throw new Error(`diff ended with ${code}: ${stdout}${stderr}`);
  }

  async repair(flags: readonly string[] = ["--yes"], options: CliOptions = {}): Promise<Repaired> {
    const args = ["repair", "repair.plan", "--json", "--from", "env:LIVE", "--to", "env:COPY", ...flags];
    const result = await this.run(args, options);
    const reported = result.stdout.endsWith("\n") ? records(result.stdout) : [];
    return {
      ...result,
      run: String(reported[0]?.run),
      verdict: String(summary(result.stdout)?.verdict),
      items: reported.filter(({ type }) => type === "item") as unknown as Repaired["items"],
      collections: reported.filter(({ type }) => type === "collection"),
    };
  }

  async undo(run: string, options: CliOptions = {}): Promise<CliResult> {
    return await this.run(["undo", run, "--json", "--to", "env:COPY", "--yes"], options);
  }

  /** Runs of which this folder holds a journal. */
  get journals(): string[] {
    const names = readdirSync(this.folder, { recursive: true }).map(String);
    return names.flatMap((name) => /undo-(\w+)\.journal$/.exec(name)?.[1] ?? []);
  }

  /** Removes all journals. */
  forget(): void {
    rmSync(join(this.folder, ".dualsync"), { recursive: true, force: true });
  }

  /** Everything that the target holds. */
  async now(): Promise<Record<string, unknown>> {
    return await snapshot(this.#pair.to, this.#database);
  }

  /** Everything that the source holds. */
  async source(): Promise<Record<string, unknown>> {
    return await snapshot(this.#pair.from, this.#database);
  }
}

/** Two of each: missing, extra and changed ones, among 50 that are equal. */
export async function fillBoth({ from, to, database }: ServerPair, name = "orders"): Promise<void> {
  const equal = Array.from({ length: 50 }, (_, n) => ({ _id: 100 + n, n }));
  const both = [
    { _id: "c1", n: 1 },
    { _id: "c2", n: 2 },
  ];
  await from
    .db(database)
    .collection(name)
    .insertMany([...equal, ...both, { _id: "m1" }, { _id: "m2" }] as never[]);
  const others = both.map((row) => ({ ...row, n: "other" }));
  await to
    .db(database)
    .collection(name)
    .insertMany([...equal, ...others, { _id: "x1" }, { _id: "x2" }] as never[]);
}
