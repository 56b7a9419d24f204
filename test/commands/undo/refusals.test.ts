import { expect, it } from "vitest";
import { withDatabase } from "../../services/mongodb/mongodb.ts";
import { records } from "../../support/cli.ts";
import { expectExplained } from "../../support/explained.ts";
import { serverPair } from "../../support/stores/pair.ts";
import { runOf, undoFolder } from "../../support/undo-folder.ts";

/** Which runs can be undone, where, and what `undo` does not do. */
const pair = serverPair();
const folder = undoFolder(pair);

function orders(side: "from" | "to") {
  return pair[side].db(pair.database).collection<{ _id: number; n: number }>("orders");
}

/** A run that replaced one document and added another one. */
async function adopted(env: Record<string, string> = {}, flags: readonly string[] = []): Promise<string> {
  await orders("from").insertMany([1, 2].map((_id) => ({ _id, n: 1 })));
  await orders("to").insertOne({ _id: 1, n: 2 });
  const given = flags.length > 0 ? ["duplicate", "--json", ...flags] : undefined;
  const result = given === undefined ? await folder.adopt() : await folder.run(given, { env });
  expect(result.code, result.stdout).toBe(0);
  return runOf(result);
}

it("undo refuses another target than the run's, and needs confirmation", async () => {
  const id = await adopted();
  const env = { COPY: withDatabase(pair.target.uri, "elsewhere") };
  const elsewhere = await folder.run(["undo", id, "--to", "env:COPY", "--yes"], { env });
  expect([elsewhere.code, elsewhere.stderr]).toEqual([6, expect.stringMatching(/but --to is .*elsewhere/)]);
  expectExplained(elsewhere.stderr, 6);
  const unasked = await folder.run(["undo", id, "--to", "env:COPY"]);
  expect([unasked.code, unasked.stderr]).toEqual([
    6,
    expect.stringMatching(/confirmation needed, but there is no terminal/),
  ]);
  expectExplained(unasked.stderr, 6);
  expect(await orders("to").find().toArray()).toEqual([1, 2].map((_id) => ({ _id, n: 1 })));
});

it("undo finds the target from the environment's pairs", async () => {
  const env = {
    MONGODB_LOCAL_URI: withDatabase(pair.source.uri, pair.database),
    MONGODB_ATLAS_URI: withDatabase(pair.target.uri, pair.database),
  };
  const id = await adopted(env, ["--into-existing", pair.database]);
  const none = await folder.run(["undo", id, "--yes"], { env: {} });
  expect([none.code, none.stderr]).toEqual([
    2,
    expect.stringMatching(/which no pair of the environment names/),
  ]);
  const undone = await folder.run(["undo", id, "--yes"], { env });
  expect([undone.code, undone.stdout]).toEqual([0, expect.stringMatching(/2 documents put back/)]);
  expect(await orders("to").find().toArray()).toEqual([{ _id: 1, n: 2 }]);
});

it.each([
  [[], /needs the id of a run/],
  [["../../etc"], /8 digits and letters/],
  [["01234567"], /Run 01234567 has no journal in \.dualsync/],
  [["01234567", "--list"], /--list takes no run/],
  [["01234567", "89abcdef"], /too many arguments/],
])("says what is wrong with the arguments of undo %s", async (args, sentence) => {
  const { code, stderr } = await folder.run(["undo", ...args]);
  expect([code, stderr]).toEqual([2, expect.stringMatching(sentence)]);
});

it("undo --list shows what can be undone, how much that is, and until when", async () => {
  const empty = await folder.run(["undo", "--list"]);
  expect([empty.code, empty.stdout]).toEqual([0, expect.stringMatching(/No run started in this folder/)]);
  const id = await adopted();
  const listed = await folder.run(["undo", "--list", "--json"]);
  expect(listed.code).toBe(0);
  const until = new Date(Date.now() + 30 * 86_400_000).toISOString().slice(0, 10);
  expect(records(listed.stdout).filter(({ type }) => type === "item")).toMatchObject([
    {
      key: `run ${id}`,
      reason: expect.stringMatching(
        new RegExp(
          `duplicate of .* to .*/${pair.database}: 1 saved, 1 added; [\\d,]+ bytes, kept until ${until}`,
        ),
      ),
    },
  ]);
});
