import { rmSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { snapshot } from "../../support/data/snapshot.ts";
import { serverPair } from "../../support/stores/pair.ts";
import { undoFolder } from "../../support/undo-folder.ts";

/** A disk that is full from its n-th call on: what could not be saved is not overwritten, what was can be put back. */
const pair = serverPair();
const folder = undoFolder(pair);
/** Calls from one try to the next; every fourth is a sample, as each costs three runs. */
const STEP = process.env.DUALSYNC_TEST_LONG === undefined ? 4 : 1;

interface Row {
  readonly _id: number;
  readonly n: number;
}

it("overwrites nothing that a full disk keeps from being saved", { timeout: 400_000 }, async () => {
  const rows = (count: number, n: number) => Array.from({ length: count }, (_, _id) => ({ _id, n }));
  await pair.from.db(pair.database).collection<Row>("orders").insertMany(rows(20, 1));
  await pair.to.db(pair.database).collection<Row>("orders").insertMany(rows(10, -1));
  const before = await snapshot(pair.to, pair.database);
  const seen = { failures: 0, undone: 0 };
  for (let at = 1; ; at += STEP) {
    rmSync(join(folder.path, ".dualsync"), { recursive: true, force: true });
    const result = await folder.adopt([], {
      env: {
        NODE_OPTIONS: `--import=${join(process.cwd(), "test/support/preload/failing-disk.js")}`,
        DUALSYNC_TEST_FAULT_AT: String(at),
        DUALSYNC_TEST_FAULT: "ENOSPC",
      },
    });
    if (result.code === 0) break;
    expect([result.code, result.stdout]).toEqual([9, expect.stringMatching(/The disk is full/)]);
    seen.failures++;
    const [id] = folder.journals();
    if (id !== undefined) {
      const { code } = await folder.undo(id);
      expect([0, 2]).toContain(code);
      if (code === 0) seen.undone++;
    }
    expect(await snapshot(pair.to, pair.database), `call ${at}`).toEqual(before);
  }
  console.log(JSON.stringify(seen));
  expect(seen.failures * STEP).toBeGreaterThan(20);
  expect(seen.undone).toBeGreaterThan(0);
});
