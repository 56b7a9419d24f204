import { MongoClient } from "mongodb";
import { expect, it } from "vitest";
import { withDatabase } from "../../services/mongodb/mongodb.ts";
import { type CliResult, dualsync } from "../../support/cli.ts";
import { contents } from "../../support/data/snapshot.ts";
import { startFaced } from "../../support/stores/faced.ts";

/** Copies a shop with a validator into a target whose user may not do what is denied. */
async function copyInto(
  denied: readonly string[],
  check: (result: CliResult, from: MongoClient, to: MongoClient) => Promise<void>,
): Promise<void> {
  const [source, target] = await Promise.all([startFaced(), startFaced({ deny: denied })]);
  const from = new MongoClient(source.directUri);
  const to = new MongoClient(target.directUri);
  try {
    await from.db("shop").createCollection("people", { validator: { age: { $gte: 18 } } });
    await from
      .db("shop")
      .collection<{ _id: number; age: number }>("people")
      .insertMany(
        [
          { _id: 1, age: 3 },
          { _id: 2, age: 40 },
        ],
        { bypassDocumentValidation: true },
      );
    await from.db("shop").collection("people").createIndex({ age: 1 });
    const env = { LIVE: withDatabase(source.uri, "shop"), COPY: withDatabase(target.uri, "shop") };
    await check(await dualsync(["duplicate", "--from", "env:LIVE", "--to", "env:COPY"], { env }), from, to);
  } finally {
    await Promise.all([from.close(), to.close()]);
    await Promise.all([source.stop(), target.stop()]);
  }
}

it("a run without the right to bypass validators copies invalid old documents and names the validator", async () => {
  await copyInto(["bypassDocumentValidation"], async ({ code, stdout }, from, to) => {
    expect(await contents(to, "shop", "people")).toEqual(await contents(from, "shop", "people"));
    expect(stdout).toContain("option people/validator"); // this engine has no collMod either
    expect(code).toBe(3);
  });
});

it("a run without permission to write says so, exits with 8, and leaves nothing", async () => {
  await copyInto(["insert", "update"], async ({ code, stderr }, _from, to) => {
    expect(stderr).toMatch(/not authorized to .* at the target/);
    expect(stderr).toMatch(/readWrite/);
    expect(code).toBe(8);
    expect((await to.db("shop").listCollections().toArray()).map(({ name }) => name)).toEqual([]);
  });
});

it("a run without the right to build indexes copies the data and names the index", async () => {
  await copyInto(["createIndexes"], async ({ code, stdout }, from, to) => {
    expect(await contents(to, "shop", "people")).toEqual(await contents(from, "shop", "people"));
    expect(stdout).toMatch(/index people\/age_1: .*code 13/);
    expect(code).toBe(3);
  });
});
