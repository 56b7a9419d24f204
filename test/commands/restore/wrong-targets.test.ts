import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import type { Document } from "mongodb";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { withDatabase } from "../../services/mongodb/mongodb.ts";
import { type CliResult, dualsync } from "../../support/cli.ts";
import { dropEverythingOn, everythingOn } from "../../support/data/everything.ts";
import { expectExplained } from "../../support/explained.ts";
import { serverPair } from "../../support/stores/pair.ts";

/**
 * Restores that must not happen: each is refused, says why, and leaves both servers as they were, in every database, dualsync's own
 * records included.
 */
const pair = serverPair();

interface Row {
  readonly _id: number;
  readonly n?: unknown;
  readonly updated_at?: Date;
}

interface Scenario {
  /** What is wrong. */
  readonly when: string;
  readonly code: 2 | 6 | 7;
  readonly says: RegExp;
  readonly args?: readonly string[];
  readonly env?: () => Readonly<Record<string, string>>;
  /** What happens before the run. */
  readonly given?: () => Promise<unknown>;
}

/** The original, and its copy, which `duplicate` has filled; since then the original was damaged, and written to. */
const live = () => pair.from.db(pair.database);
const copy = () => pair.to.db(`${pair.database}_backup`);
const liveUri = () => withDatabase(pair.source.uri, pair.database);
const copyUri = () => withDatabase(pair.target.uri, `${pair.database}_backup`);
const elsewhere = (uri: string) => uri.replace("127.0.0.1", "localhost");
const env = () => ({ LIVE: liveUri(), COPY: copyUri() });
const BACK = ["--from", "env:COPY", "--to", "env:LIVE"];
const TO_COPY = ["--from", "env:LIVE", "--to", "env:COPY"];

let folder: string;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "dualsync-restore-"));
  await live()
    .collection<Row>("orders")
    .insertMany(rows(0, 40, { updated_at: new Date("2026-01-01") }));
  await live().collection<Row>("people").insertMany(rows(0, 10));
  const { code, stderr } = await run(["duplicate", ...TO_COPY]);
  expect(code, stderr).toBe(0);
  await live()
    .collection<Row>("orders")
    .deleteMany({ _id: { $lt: 5 } });
  await live()
    .collection<Row>("orders")
    .updateMany({ _id: { $gte: 35 } }, { $set: { n: "changed", updated_at: new Date() } });
  await live()
    .collection<Row>("orders")
    .insertMany(rows(100, 103, { updated_at: new Date() }));
});
afterEach(async () => {
  rmSync(folder, { recursive: true, force: true });
  await Promise.all([dropEverythingOn(pair.from), dropEverythingOn(pair.to)]);
});

function rows(first: number, end: number, more: Document = {}): Row[] {
  return Array.from({ length: end - first }, (_, n) => ({ _id: first + n, n, ...more }));
}

function run(args: readonly string[], variables: Readonly<Record<string, string>> = {}): Promise<CliResult> {
  return dualsync(args, { env: { ...env(), ...variables }, cwd: folder });
}

const everything = async () => [await everythingOn(pair.from), await everythingOn(pair.to)];

async function expectRefused({ code, says, args = [], env: variables, given }: Scenario): Promise<void> {
  await given?.();
  const before = await everything();
  const words = args.map((word) => word.replace("DATABASE", pair.database));
  const result = await run(["restore", ...words], variables?.());
  const said = result.stdout + result.stderr;
  expect([result.code, said]).toEqual([code, expect.stringMatching(says)]);
  if (code !== 2) expectExplained(said, code);
  expect(await everything()).toEqual(before);
}

/** As a run of another machine holds it. */
async function held(of: typeof live): Promise<void> {
  const lease = {
    ...{ run: "0ther000", nonce: "another", command: "duplicate", from: "elsewhere" },
    ...{ host: `not ${hostname()}`, pid: 1, since: new Date(), until: new Date(Date.now() + 3_600_000) },
  };
  await of()
    .collection<Document & { _id: string }>("_dualsync")
    .replaceOne({ _id: "lease" }, lease, { upsert: true });
}

/** A database beside the original, and its copy beside the other copy. */
async function staged(): Promise<void> {
  await pair.from.db("staging").collection<Row>("orders").insertMany(rows(0, 3));
  const at = {
    LIVE: withDatabase(pair.source.uri, "staging"),
    COPY: withDatabase(pair.target.uri, "staging_backup"),
  };
  expect((await run(["duplicate", ...TO_COPY], at)).code).toBe(0);
}

/** As a restore leaves it that was killed. */
async function halfRestored(of: typeof live): Promise<void> {
  await of()
    .collection<Document & { _id: string }>("_dualsync")
    .insertOne({
      _id: "restored",
      ...{ command: "restore", from: "127.0.0.1/elsewhere", run: "abcd1234", token: "t", complete: false },
      ...{ verified: false, since: new Date("2026-02-03T04:05:06Z"), documents: [] },
    });
}

const CONFIRMED = ["--apply", "--confirm", "DATABASE"];
const overwrite = (...more: string[]) => [...BACK, "--mode", "overwrite", ...more];
const exact = (...more: string[]) => [...BACK, "--mode", "exact", ...more];

const CONFIRMATION: readonly Scenario[] = [
  {
    when: "--apply is missing",
    code: 6,
    args: BACK,
    says: /nothing was restored\. To restore: dualsync restore .*--apply --confirm shop\d+/,
  },
  {
    when: "--apply is missing, though the name is given",
    code: 6,
    args: overwrite("--confirm", "DATABASE"),
    says: /nothing was restored\. To restore: dualsync restore .*--apply --confirm shop\d+/,
  },
  {
    when: "nobody can be asked and no name is given",
    code: 6,
    args: [...BACK, "--apply"],
    says: /its name is needed, but there is no terminal\.[\s\S]*Nothing was restored\. To restore: dualsync restore .*--apply --confirm shop\d+/,
  },
  {
    when: "nobody can be asked, with --mode overwrite",
    code: 6,
    args: overwrite("--apply"),
    says: /its name is needed/,
  },
  {
    when: "nobody can be asked, with --mode exact",
    code: 6,
    args: exact("--apply"),
    says: /its name is needed/,
  },
  {
    when: "nobody can be asked, with --json",
    code: 6,
    args: overwrite("--apply", "--json"),
    says: /its name is needed/,
  },
  {
    when: "--confirm names another database",
    code: 2,
    args: overwrite("--apply", "--confirm", "production"),
    says: /--confirm names "production", but the target is "shop\d+"/,
  },
  {
    when: "--confirm names the copy",
    code: 2,
    args: exact("--apply", "--confirm", "DATABASE_backup"),
    says: /--confirm names "shop\d+_backup", but the target is "shop\d+"/,
  },
  {
    when: "--confirm is in other letters",
    code: 2,
    args: exact("--apply", "--confirm", "SHOP1"),
    says: /--confirm names "SHOP1"/,
  },
  {
    when: "--confirm is empty",
    code: 2,
    args: overwrite("--apply", "--confirm", ""),
    says: /--confirm names ""/,
  },
  {
    when: "--confirm has blanks",
    code: 2,
    args: overwrite("--apply", "--confirm", " DATABASE "),
    says: /--confirm names " shop\d+ "/,
  },
  {
    when: "--confirm has no name",
    code: 2,
    args: overwrite("--apply", "--confirm"),
    says: /--confirm <name>' argument missing/,
  },
  {
    when: "--yes is given, which is no confirmation",
    code: 2,
    args: overwrite("--apply", "--yes"),
    says: /unknown option '--yes'/,
  },
  {
    when: "--into-existing is given, which is no confirmation",
    code: 2,
    args: overwrite("--apply", "--into-existing", "DATABASE"),
    says: /unknown option '--into-existing'/,
  },
  {
    when: "--delete is given, which is a mode",
    code: 2,
    args: overwrite(...CONFIRMED, "--delete"),
    says: /unknown option '--delete'/,
  },
];

const FLAGS: readonly Scenario[] = [
  {
    when: "the mode is unknown",
    code: 2,
    args: [...BACK, "--mode", "force", ...CONFIRMED],
    says: /--mode must be missing, merge, overwrite or exact/,
  },
  {
    when: "the mode is in other letters",
    code: 2,
    args: [...BACK, "--mode", "EXACT", ...CONFIRMED],
    says: /--mode must be/,
  },
  {
    when: "--apply and --dry-run come together",
    code: 2,
    args: exact(...CONFIRMED, "--dry-run"),
    says: /--apply and --dry-run contradict each other/,
  },
  {
    when: "--include-newer comes with another mode",
    code: 2,
    args: overwrite(...CONFIRMED, "--include-newer"),
    says: /--include-newer belongs to --mode exact/,
  },
  {
    when: "--allow-shrink comes with another mode",
    code: 2,
    args: [...BACK, ...CONFIRMED, "--allow-shrink"],
    says: /--allow-shrink belongs to --mode exact/,
  },
  {
    when: "--id comes with --mode exact",
    code: 2,
    args: exact(...CONFIRMED, "--id", "orders/1"),
    says: /--mode exact removes what the copy does not have/,
  },
  {
    when: "--ids comes with --mode exact",
    code: 2,
    args: exact(...CONFIRMED, "--ids", "ids.txt"),
    given: async () => writeFileSync(join(folder, "ids.txt"), "orders/1\n"),
    says: /--mode exact removes what the copy does not have/,
  },
  {
    when: "--id comes with --filter",
    code: 2,
    args: overwrite(...CONFIRMED, "--id", "orders/1", "--filter", "orders={}"),
    says: /--filter cannot be used with --id/,
  },
  {
    when: "the file of --ids is missing",
    code: 2,
    args: overwrite(...CONFIRMED, "--ids", "nowhere.txt"),
    says: /--ids names "nowhere\.txt", which cannot be read \(ENOENT\)/,
  },
  {
    when: "the file of --ids is empty",
    code: 2,
    args: overwrite(...CONFIRMED, "--ids", "none.txt"),
    given: async () => writeFileSync(join(folder, "none.txt"), "\n \n"),
    says: /--ids names "none\.txt", which lists nothing/,
  },
  {
    when: "--id is empty",
    code: 6,
    args: overwrite(...CONFIRMED, "--id", ""),
    says: /"" names no document of the copy/,
  },
  {
    when: "--id is of an unknown collection",
    code: 6,
    args: overwrite(...CONFIRMED, "--id", "invoices/1"),
    says: /"invoices\/1" names no document of the copy/,
  },
  {
    when: "--id cannot be read",
    code: 6,
    args: overwrite(...CONFIRMED, "--id", 'orders/{"$oid":'),
    says: /names no document of the copy/,
  },
  {
    when: "--id names a document that the copy lacks",
    code: 6,
    args: overwrite(...CONFIRMED, "--id", "orders/777"),
    says: /orders\/777.*the copy does not have/,
  },
  {
    when: "--include matches nothing",
    code: 6,
    args: exact(...CONFIRMED, "--include", "invoices*"),
    says: /matches "invoices\*"/,
  },
  {
    when: "--exclude leaves nothing",
    code: 6,
    args: exact(...CONFIRMED, "--exclude", "*"),
    says: /has nothing to copy/,
  },
  {
    when: "--rename names a collection that the copy lacks",
    code: 6,
    args: overwrite(...CONFIRMED, "--rename", "invoices=orders"),
    says: /has no collection "invoices"/,
  },
  {
    when: "--rename puts two collections into one",
    code: 6,
    args: overwrite(...CONFIRMED, "--rename", "people=orders"),
    says: /Two collections would be copied into "orders"/,
  },
  {
    when: "--rename puts a collection among the documents of another one",
    code: 6,
    args: [...BACK, "--include", "people", "--rename", "people=orders", ...CONFIRMED],
    says: /"orders" of the target holds documents, and the copy of it is "orders": --rename would put "people" among them/,
  },
  {
    when: "--rename puts a collection in place of another one",
    code: 6,
    args: exact(
      ...CONFIRMED,
      "--include",
      "people",
      "--rename",
      "people=orders",
      "--include-newer",
      "--allow-shrink",
    ),
    says: /--rename would put "people" among them/,
  },
  {
    when: "--filter is of a collection that the copy lacks",
    code: 6,
    args: overwrite(...CONFIRMED, "--filter", 'invoices={"n":1}'),
    says: /has no collection "invoices"/,
  },
];

const PLACES: readonly Scenario[] = [
  {
    when: "--from and --to are swapped",
    code: 6,
    args: [
      "--from",
      "env:LIVE",
      "--to",
      "env:COPY",
      "--mode",
      "overwrite",
      "--apply",
      "--confirm",
      "DATABASE_backup",
    ],
    says: /is a copy of .*: dualsync duplicate filled it from there\. A restore goes from the copy to the original\.[\s\S]*Swap --from and --to/,
  },
  {
    when: "--from and --to are swapped, with --mode exact",
    code: 6,
    args: [
      "--from",
      "env:LIVE",
      "--to",
      "env:COPY",
      "--mode",
      "exact",
      "--apply",
      "--confirm",
      "DATABASE_backup",
    ],
    says: /is a copy of/,
  },
  {
    when: "the variables of both servers are swapped",
    code: 6,
    args: ["--mode", "overwrite", "--apply", "--confirm", "DATABASE_backup"],
    env: () => ({ MONGODB_LOCAL_URI: copyUri(), MONGODB_ATLAS_URI: liveUri() }),
    says: /is a copy of .* filled it from there/,
  },
  {
    when: "they are swapped and the address has another name",
    code: 6,
    args: [
      "--from",
      "env:LIVE",
      "--to",
      "env:COPY",
      "--mode",
      "overwrite",
      "--apply",
      "--confirm",
      "DATABASE_backup",
    ],
    env: () => ({ LIVE: elsewhere(liveUri()), COPY: elsewhere(copyUri()) }),
    says: /is a copy of localhost.*: dualsync filled it from there/,
  },
  {
    when: "they are swapped, and what is chosen is not part of the copy",
    code: 6,
    args: [
      "--from",
      "env:LIVE",
      "--to",
      "env:COPY",
      "--include",
      "log",
      "--mode",
      "overwrite",
      "--apply",
      "--confirm",
      "DATABASE_backup",
    ],
    env: () => ({ LIVE: elsewhere(liveUri()), COPY: elsewhere(copyUri()) }),
    given: () => Promise.all([live, copy].map((of, n) => of().collection<Row>("log").insertMany(rows(n, 9)))),
    says: /is a copy of localhost.*: dualsync filled it from there/,
  },
  {
    when: "they are swapped and the records of the whole run are gone",
    code: 6,
    args: [
      "--from",
      "env:LIVE",
      "--to",
      "env:COPY",
      "--mode",
      "overwrite",
      "--apply",
      "--confirm",
      "DATABASE_backup",
    ],
    given: () => copy().collection<Document & { _id: string }>("_dualsync").deleteOne({ _id: "filled" }),
    says: /is a copy of .* filled it from there/,
  },
  {
    when: "source and target are one database",
    code: 6,
    args: ["--from", "env:LIVE", "--to", "env:LIVE", "--mode", "overwrite", ...CONFIRMED],
    says: /Source and target are the same store/,
  },
  {
    when: "source and target are one database under two addresses",
    code: 6,
    args: ["--from", "env:OTHER", "--to", "env:LIVE", "--mode", "overwrite", ...CONFIRMED],
    env: () => ({ OTHER: elsewhere(liveUri()) }),
    says: /Source and target are the same database/,
  },
  {
    when: "the copy and the target are one copy under two addresses",
    code: 6,
    args: [
      "--from",
      "env:OTHER",
      "--to",
      "env:COPY",
      "--mode",
      "exact",
      "--apply",
      "--confirm",
      "DATABASE_backup",
    ],
    env: () => ({ OTHER: elsewhere(copyUri()) }),
    says: /Source and target are the same database/,
  },
  {
    when: "source and target are one under two addresses, before --apply",
    code: 6,
    args: ["--from", "env:OTHER", "--to", "env:LIVE"],
    env: () => ({ OTHER: elsewhere(liveUri()) }),
    says: /Source and target are the same database/,
  },
  {
    when: "the copy does not exist",
    code: 6,
    args: ["--from", "env:NOWHERE", "--to", "env:LIVE", "--mode", "exact", ...CONFIRMED],
    env: () => ({ NOWHERE: withDatabase(pair.target.uri, "nowhere") }),
    says: /nowhere has nothing to copy/,
  },
  {
    when: "the copy is named in other letters",
    code: 6,
    args: ["--from", "env:LOUD", "--to", "env:LIVE", "--mode", "exact", ...CONFIRMED],
    env: () => ({ LOUD: withDatabase(pair.target.uri, `${pair.database.toUpperCase()}_BACKUP`) }),
    says: /differ only in upper and lower case|has nothing to copy|in other letters/,
  },
  {
    when: "the target is named in other letters",
    code: 6,
    args: ["--from", "env:COPY", "--to", "env:LOUD", "--mode", "exact", "--apply"],
    env: () => ({ LOUD: withDatabase(pair.source.uri, pair.database.toUpperCase()) }),
    says: /upper and lower case|in other letters/,
  },
  {
    when: "the copy is itself half restored",
    code: 6,
    args: exact(...CONFIRMED),
    given: () => halfRestored(copy),
    says: /is being restored: run abcd1234, .* began at 2026-02-03 04:05 UTC and is not complete\.[\s\S]*dualsync undo abcd1234/,
  },
  {
    when: "another run holds the lock of the target",
    code: 7,
    args: overwrite(...CONFIRMED),
    given: () => held(live),
    says: /is locked by dualsync duplicate on not /,
  },
  {
    when: "another run holds the lock of the copy",
    code: 7,
    args: overwrite(...CONFIRMED),
    given: () => held(copy),
    says: /is locked by dualsync duplicate on not /,
  },
  {
    when: "another run holds the lock of the copy, which is read slowly",
    code: 7,
    args: overwrite(...CONFIRMED, "--rate", "5MB"),
    given: () => held(copy),
    says: /is locked by dualsync duplicate on not /,
  },
  {
    when: "the copy is empty",
    code: 6,
    args: exact(...CONFIRMED),
    given: () => copy().dropDatabase(),
    says: /has nothing to copy/,
  },
  {
    when: "the copy has lost its documents",
    code: 6,
    args: overwrite(...CONFIRMED),
    given: () => Promise.all(["orders", "people"].map((name) => copy().collection(name).deleteMany({}))),
    says: /holds no document/,
  },
  {
    when: "the copy has lost its documents, with --mode exact --allow-shrink",
    code: 6,
    args: exact(...CONFIRMED, "--include-newer", "--allow-shrink"),
    given: () => Promise.all(["orders", "people"].map((name) => copy().collection(name).deleteMany({}))),
    says: /holds no document/,
  },
  {
    when: "one collection of the copy has lost its documents, with --mode exact --allow-shrink",
    code: 6,
    args: exact(...CONFIRMED, "--include-newer", "--allow-shrink"),
    given: () => copy().collection("people").deleteMany({}),
    says: /"people" is empty in the copy/,
  },
  {
    when: "the copy has shrunk",
    code: 6,
    args: exact(...CONFIRMED, "--include-newer"),
    given: () =>
      copy()
        .collection<Row>("people")
        .deleteMany({ _id: { $gt: 2 } }),
    says: /"people": --mode exact would remove 7 of the 10 documents.*[\s\S]*--allow-shrink/,
  },
  {
    when: "a filter selects less than half of what would be left",
    code: 6,
    args: exact(...CONFIRMED, "--include-newer", "--filter", 'orders={"n":{"$lt":40}}'),
    given: () =>
      copy()
        .collection<Row>("orders")
        .deleteMany({ _id: { $gt: 5 } }),
    says: /--mode exact would remove/,
  },
  {
    when: "the copy is that of another database, and only a name that may be common is given",
    code: 6,
    args: ["--from", "env:STAGED", "--to", "env:LIVE", "--mode", "overwrite", ...CONFIRMED],
    env: () => ({ STAGED: withDatabase(pair.target.uri, "staging_backup") }),
    given: staged,
    says: /The copy \S+\/staging_backup was not filled from \S+\/shop\d+, which holds other documents: "shop\d+" alone does not say that it is the right target[\s\S]*--confirm \S+:\d+\/shop\d+/,
  },
  {
    when: "the copy is that of another database, before --apply",
    code: 6,
    args: ["--from", "env:STAGED", "--to", "env:LIVE"],
    env: () => ({ STAGED: withDatabase(pair.target.uri, "staging_backup") }),
    given: staged,
    says: /This copy was filled from \S+\/staging, and nothing that was copied is in \S+\/shop\d+, which holds other documents: is it the right target, and the right copy\?[\s\S]*--confirm \S+:\d+\/shop\d+/,
  },
  {
    when: "all of it is a view in the target",
    code: 6,
    args: exact(...CONFIRMED, "--include", "people"),
    given: async () => {
      await live().collection("people").drop();
      await live().createCollection("people", { viewOn: "orders", pipeline: [] });
    },
    says: /it is a collection in the copy and a view in the target/,
  },
  {
    when: "all of it is capped in the target",
    code: 6,
    args: exact(...CONFIRMED, "--include", "people"),
    given: async () => {
      await live().collection("people").drop();
      await live().createCollection("people", { capped: true, size: 4096 });
      await live().collection<Row>("people").insertOne({ _id: 1 });
    },
    says: /it is a collection in the copy and a capped/,
  },
  {
    when: "the address still has a password to be filled in",
    code: 2,
    args: overwrite(...CONFIRMED),
    env: () => ({ LIVE: `mongodb://app:<password>@127.0.0.1:27017/${pair.database}` }),
    says: /<password>|placeholder/,
  },
  {
    when: "the address has no database",
    code: 2,
    args: overwrite("--apply"),
    env: () => ({ LIVE: pair.source.uri.replace(/\/[^/]*$/, "/") }),
    says: /database/,
  },
  {
    when: "the only variable already names a copy",
    code: 2,
    args: ["--mode", "overwrite", "--apply"],
    env: () => ({ MONGODB_URI: copyUri() }),
    says: /_backup/,
  },
  {
    when: "nothing says what to restore",
    code: 2,
    args: ["--mode", "overwrite", "--apply"],
    says: /restore found no pair of stores/,
  },
  {
    when: "the environment names several pairs",
    code: 2,
    args: ["--mode", "overwrite", "--apply"],
    env: () => ({
      MONGODB_URI: withDatabase(pair.source.uri, "other"),
      MONGODB_LOCAL_URI: liveUri(),
      MONGODB_ATLAS_URI: copyUri(),
    }),
    says: /restore found 2 pairs of stores in the environment and does not choose between them/,
  },
];

describe.each([
  ["without confirmation", CONFIRMATION],
  ["for its flags", FLAGS],
  ["for its stores", PLACES],
] as const)("restore refused %s", (_, scenarios) => {
  it.each(scenarios)("restore ends with $code and writes nothing when $when", expectRefused);
});

it("restore without --apply shows the plan and the command that goes on, and --dry-run is the same with 0", async () => {
  const before = await everything();
  const plan = await run(["restore", ...BACK, "--mode", "exact"]);
  expect([plan.code, plan.stdout]).toEqual([
    6,
    expect.stringMatching(
      /nothing was restored\. To restore: dualsync restore --from env:COPY --to env:LIVE --mode exact --apply --confirm shop\d+/,
    ),
  ]);
  const dry = await run(["restore", ...BACK, "--mode", "exact", "--dry-run"]);
  expect([dry.code, dry.stdout]).toEqual([0, expect.stringMatching(/nothing was restored/)]);
  expect(await everything()).toEqual(before);
});

it("the copy of another database is restored where the target is named in full, and its nights need nothing more", async () => {
  await staged();
  const at = { STAGED: withDatabase(pair.target.uri, "staging_backup") };
  const label = `127.0.0.1:${new URL(pair.source.uri).port}/${pair.database}`;
  const there = ["restore", "--from", "env:STAGED", "--to", "env:LIVE", "--mode", "overwrite", "--apply"];
  const done = await run([...there, "--confirm", label], at);
  expect([done.code, done.stderr]).toEqual([0, expect.not.stringMatching(/error/)]);
  expect((await run([...there, "--confirm", pair.database], at)).code).toBe(0);
  expect((await run(["duplicate", ...TO_COPY])).code).toBe(0);
});
