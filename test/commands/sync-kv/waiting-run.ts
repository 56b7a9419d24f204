import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { prepareSyncKv, type SyncKvFlags } from "../../../src/commands/sync-kv/sync-kv-flags.ts";
import { loadEnvironment } from "../../../src/config/env/environment.ts";
import { DualsyncError, exitCode } from "../../../src/model/errors.ts";
import { Redactor } from "../../../src/redact/redact.ts";
import { open } from "../../reporting/samples.ts";
import { never } from "../../support/signal.ts";
import type { KvPair } from "../../support/stores/kv-pair.ts";

export interface WaitingRun {
  readonly code: number;
  /** Standard output and error. */
  readonly output: string;
  /** Milliseconds of each wait. */
  readonly waits: readonly number[];
}

/** Runs `sync-kv --wait-for-recovery` without its long waits: `waiting` is what happens meanwhile, the n-th time from 1. */
export async function runWaiting(
  pair: KvPair,
  flags: SyncKvFlags,
  waiting: (wait: number) => Promise<unknown>,
): Promise<WaitingRun> {
  const cwd = mkdtempSync(join(tmpdir(), "dualsync-waiting-"));
  const processEnv = {
    ...{ KV_REST_API_URL: pair.upstash.url, KV_REST_API_TOKEN: pair.upstash.token },
    ...{ MONGODB_URI: pair.mongodb.uri, MONGODB_DB_NAME: pair.database, SYNC_MAX_RETRIES: "0" },
  };
  const runId = randomUUID().slice(0, 8);
  const { reporter, stdout, stderr } = open({ mode: "auto", command: "sync-kv", runId });
  const waits: number[] = [];
  const clock = {
    now: () => performance.now(),
    async wait(milliseconds: number) {
      waits.push(milliseconds);
      await waiting(waits.length);
    },
  };
  try {
    const environment = loadEnvironment({ cwd, processEnv });
    const { work } = prepareSyncKv({ ...flags, waitForRecovery: true }, environment);
    const context = { runId, reporter, redactor: new Redactor(), signal: never, clock };
    const code = await work({ ...context, print: () => undefined, confirm: undefined, ask: undefined }).catch(
      (error: unknown) => {
        if (!(error instanceof DualsyncError)) throw error;
        reporter.fail(error, exitCode(error.exit));
        return exitCode(error.exit);
      },
    );
    return { code, output: stdout.text + stderr.text, waits };
  } finally {
    reporter.close();
    rmSync(cwd, { recursive: true, force: true });
  }
}
