import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { withDatabase } from "../../services/mongodb/mongodb.ts";
import { dropEverythingOn, everythingOn } from "../../support/data/everything.ts";
import { snapshot } from "../../support/data/snapshot.ts";
import { serverPair } from "../../support/stores/pair.ts";
import { HAS_TERMINAL, inTerminal } from "../../support/terminal.ts";

/** What a person at a terminal is asked before anything is restored, and what comes of the answer. */
const pair = serverPair();

interface Row {
  readonly _id: number;
  readonly n: number;
}

const live = () => pair.from.db(pair.database).collection<Row>("orders");
const copy = () => pair.to.db(pair.database).collection<Row>("orders");
const everything = async () => [await everythingOn(pair.from), await everythingOn(pair.to)];

let folder: string;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "dualsync-restore-"));
  await live().insertMany(Array.from({ length: 20 }, (_, n) => ({ _id: n, n })));
  expect((await pair.duplicate()).code).toBe(0);
  await live().deleteMany({ _id: { $lt: 5 } });
  await live().updateMany({ _id: { $gt: 15 } }, { $set: { n: -1 } });
});
afterEach(async () => {
  rmSync(folder, { recursive: true, force: true });
  await Promise.all([dropEverythingOn(pair.from), dropEverythingOn(pair.to)]);
});

/** Types `answer` where the target's name is asked for. */
function typing(answer: string, ...flags: string[]) {
  const env = {
    LIVE: withDatabase(pair.source.uri, pair.database),
    COPY: withDatabase(pair.target.uri, pair.database),
  };
  const args = ["restore", "--from", "env:COPY", "--to", "env:LIVE", "--apply", ...flags];
  return inTerminal(args, { env, cwd: folder, question: /Type shop\d+ to restore into \S+:/, answer });
}

if (!HAS_TERMINAL) console.log("not run: the questions of restore, as this machine has no util-linux script");

describe.runIf(HAS_TERMINAL)("restore at a terminal", () => {
  it.each([
    ["another name", "production\r", 6, /Not confirmed: that is not shop\d+\./],
    ["its name in other letters", "SHOP1\r", 6, /Not confirmed/],
    ["yes", "yes\r", 6, /Not confirmed/],
    ["y", "y\r", 6, /Not confirmed/],
    ["nothing", "\r", 6, /Not confirmed/],
    ["blanks", "   \r", 6, /Not confirmed/],
    ["the end of input", "\u0004", 6, /Not confirmed/],
    ["Ctrl-C", "\u0003", 130, /Interrupted\./],
  ] as const)("changes nothing when the answer is %s", async (_, answer, status, says) => {
    for (const mode of ["missing", "overwrite", "exact"]) {
      const before = await everything();
      const { code, shown, asked } = await typing(answer, "--mode", mode);
      expect([asked, code, shown]).toEqual([true, status, expect.stringMatching(says)]);
      expect(await everything()).toEqual(before);
    }
  });

  it("restores when its name is typed", async () => {
    const { code, shown, asked } = await typing(`${pair.database}\r`, "--mode", "overwrite");
    expect([asked, code, shown]).toEqual([true, 0, expect.stringMatching(/Restored: 9 documents written/)]);
    expect(await snapshot(pair.from, pair.database)).toEqual(await snapshot(pair.to, pair.database));
  });

  it("asks nothing where the name is given, or nothing but an empty target is filled", async () => {
    const named = await typing("", "--mode", "overwrite", "--confirm", pair.database);
    expect([named.asked, named.code, named.shown]).toEqual([false, 0, expect.stringMatching(/Restored/)]);
    await pair.from.db(pair.database).dropDatabase();
    const filled = await typing("");
    expect([filled.asked, filled.code]).toEqual([false, 0]);
    expect(await live().countDocuments()).toBe(await copy().countDocuments());
  });

  it("asks for the name of an empty target, too, where more than missing documents would be written", async () => {
    await pair.from.db(pair.database).dropDatabase();
    const before = await everything();
    const { code, asked } = await typing("\r", "--mode", "exact");
    expect([asked, code]).toEqual([true, 6]);
    expect(await everything()).toEqual(before);
  });

  it("never asks for machine-readable records", async () => {
    const before = await everything();
    const { code, shown, asked } = await typing(`${pair.database}\r`, "--mode", "overwrite", "--json");
    expect([asked, code, shown]).toEqual([false, 6, expect.stringMatching(/its name is needed/)]);
    expect(await everything()).toEqual(before);
  });
});
