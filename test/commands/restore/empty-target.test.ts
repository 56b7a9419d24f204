import { expect, it } from "vitest";
import { records } from "../../support/cli.ts";
import { serverPair } from "../../support/stores/pair.ts";

/** What the target does not have need not be compared with anything. */
const pair = serverPair();

const orders = () => pair.to.db(pair.database).collection<{ _id: number; n: number }>("orders");

async function planned(...flags: string[]): Promise<{ notes: string; missing: unknown }> {
  const { stdout } = await pair.run([
    "restore",
    "--to",
    "env:LIVE",
    "--from",
    "env:COPY",
    "--json",
    ...flags,
  ]);
  const start = records(stdout).find(({ type }) => type === "start") as unknown as {
    readonly notes: readonly string[];
    readonly collections: readonly { readonly restore: { readonly missing: number } }[];
  };
  return { notes: start.notes.join("\n"), missing: start.collections[0]?.restore.missing };
}

it("the plan of a restore into an empty database reads no documents of the copy", async () => {
  await orders().insertMany(Array.from({ length: 500 }, (_, _id) => ({ _id, n: _id })));
  const { notes, missing } = await planned();
  expect(missing).toBe(500);
  expect(notes).toMatch(/^Comparing took .* and read 0 B\./m);
});

it("the plan of a restore into an empty database counts the documents that a filter selects, and no others", async () => {
  await orders().insertMany(Array.from({ length: 500 }, (_, _id) => ({ _id, n: _id })));
  expect((await planned("--filter", 'orders={"n":{"$lt":20}}')).missing).toBe(20);
});
