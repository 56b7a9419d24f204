import type { ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { installSql } from "../../../src/connectors/supabase/sql/sql.ts";
import { fillStorefront } from "../../shops/storefront.ts";
import type { CliOptions, CliResult } from "../../support/cli.ts";
import { dropEverythingOn, everyRowOf } from "../../support/data/everything.ts";
import { snapshot } from "../../support/data/snapshot.ts";
import { projectPair } from "../../support/stores/project-pair.ts";

/** A project that a restore has left half-way, or is still writing to: nothing goes from there into its copy. */
const pair = projectPair();
const CUSTOMERS = 600;

let folder: string;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "dualsync-restore-"));
  await fillStorefront(pair.project.query, { customers: CUSTOMERS });
  await pair.project.query(installSql());
  await pair.project.reload();
  await done("backfill");
});
afterEach(async () => {
  rmSync(folder, { recursive: true, force: true });
  await dropEverythingOn(pair.to);
});

const run = (args: readonly string[], options: CliOptions = {}) => pair.run(args, folder, options);
const copy = () => snapshot(pair.to, pair.database);

async function rows(): Promise<object> {
  const { _dualsync, ...found } = await everyRowOf(pair.project);
  return found;
}

async function done(...args: string[]): Promise<void> {
  const { code, stdout, stderr } = await run(args);
  expect(code, stdout + stderr).toBe(0);
}

/** In pages of 40 rows, which are written one after the other. */
const restore = (options: CliOptions = {}): Promise<CliResult> => {
  const name = new URL(pair.project.url).host;
  const args = ["restore", "--mode", "overwrite", "--apply", "--confirm", name];
  return run([...args, "--batch-size", "40", "--concurrency", "1"], options);
};

it("a restore into a project that is killed half-way is kept out of the copy, completed by the same command, and forgotten then", {
  timeout: 60_000,
}, async () => {
  const [before, wanted] = [await copy(), await rows()];
  await pair.project.query("delete from customers where true");
  let child: ChildProcess | undefined;
  pair.fail({ on: "POST /customers", at: 9, before: () => child?.kill("SIGKILL") });
  const killed = await restore({
    onStart(started) {
      child = started;
    },
  });
  expect(killed.code).toBe(null);
  const { rows: counted } = await pair.project.query("select count(*)::int4 as count from customers");
  const share = Number(counted[0]?.count) / CUSTOMERS;
  console.log(`killed when ${Math.round(share * 100)}% of the customers were there again`);
  expect([share > 0.3, share < 0.9]).toEqual([true, true]);
  for (const args of [
    ["backfill", "--delete", "--yes"],
    ["backfill", "--delete", "--yes", "--allow-shrink"],
    ["diff"],
  ]) {
    const { code, stdout, stderr } = await run(args);
    expect([code, stdout + stderr]).toEqual([
      6,
      expect.stringMatching(/is being restored: run [0-9a-f]{8}, from .* is not complete/),
    ]);
    expect(await copy()).toEqual(before);
  }
  expect((await restore()).code).toBe(0);
  expect(await rows()).toEqual(wanted);
  await done("backfill", "--delete", "--yes");
  await done("diff");
});

it("while a restore into a project runs backfill gets 7, and leaves the copy as it is", {
  timeout: 60_000,
}, async () => {
  const before = await copy();
  await pair.project.query("delete from customers where true");
  const others: CliResult[] = [];
  pair.fail({
    on: "POST /customers",
    at: 3,
    before: async () => {
      others.push(await run(["backfill", "--delete", "--yes"]), await restore());
      expect(await copy()).toEqual(before);
    },
  });
  expect((await restore()).code).toBe(0);
  expect(others.map(({ code }) => code)).toEqual([7, 7]);
  expect(others[0]?.stderr).toMatch(/is locked by dualsync restore on /);
  await done("backfill", "--delete", "--yes");
  await done("diff");
});
