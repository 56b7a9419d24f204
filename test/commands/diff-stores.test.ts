import { describe, expect, it } from "vitest";
import { withDatabase } from "../services/mongodb.ts";
import { dualsync } from "../support/cli.ts";
import { compare, findings } from "../support/compared.ts";
import { serverPair } from "../support/pair.ts";

const pair = serverPair({}, {}, {});

async function fill(sides = [pair.from, pair.to]): Promise<void> {
  for (const client of sides)
    await client
      .db(pair.database)
      .collection("orders")
      .insertMany([{ n: 1 }, { n: 2 }]);
}

describe("a store under two addresses is not compared with itself", () => {
  const diff = (from: string, to: string) =>
    dualsync(["diff", "--from", "env:LIVE", "--to", "env:COPY", "--settle", "0"], {
      env: { LIVE: withDatabase(from, pair.database), COPY: withDatabase(to, pair.database) },
    });

  it("by two names of one machine", async () => {
    await fill();
    const uri = `mongodb://127.0.0.1:${pair.source.port}/?directConnection=true`;
    const { code, stderr } = await diff(uri, uri.replace("127.0.0.1", "localhost"));
    expect([code, stderr]).toEqual([6, expect.stringMatching(/same database/)]);
  });

  it("through a proxy that hides which process answers", async () => {
    await fill();
    const { code, stderr } = await diff(
      `mongodb://127.0.0.1:${pair.source.port}/?directConnection=true`,
      pair.source.uri,
    );
    expect([code, stderr]).toEqual([6, expect.stringMatching(/same database/)]);
  });

  it("but two databases of one server are", async () => {
    await fill();
    const env = {
      LIVE: withDatabase(pair.source.uri, pair.database),
      COPY: withDatabase(pair.source.uri, `${pair.database}_backup`),
    };
    const flags = ["--from", "env:LIVE", "--to", "env:COPY"];
    expect((await dualsync(["duplicate", ...flags], { env })).code).toBe(0);
    expect((await dualsync(["diff", ...flags], { env })).code).toBe(0);
    await pair.from.db(`${pair.database}_backup`).dropDatabase();
  });
});

describe("what is empty", () => {
  it("on both sides proves nothing", async () => {
    const compared = await compare(pair);
    expect([compared.code, compared.error?.message]).toEqual([
      6,
      expect.stringMatching(/has a collection to compare/),
    ]);
  });

  it("on the copy's side is different, as under a wrong name", async () => {
    await fill([pair.from]);
    const compared = await compare(pair);
    expect([compared.code, findings(compared)]).toEqual([1, ["metadata collection orders"]]);
    expect(compared.differences[0]?.detail).toBe("only in the source (2 documents)");
  });

  it("on the source's side is different", async () => {
    await fill([pair.to]);
    const compared = await compare(pair);
    expect([compared.code, findings(compared)]).toEqual([1, ["metadata collection orders"]]);
    expect((await compare(pair, ["--one-way"])).code).toBe(0);
  });

  it("of one collection is different in all its documents, and two empty ones are equal", async () => {
    await fill([pair.from]);
    await pair.to.db(pair.database).createCollection("orders");
    for (const client of [pair.from, pair.to]) await client.db(pair.database).createCollection("empty");
    const compared = await compare(pair);
    expect([compared.code, compared.summary?.missing, compared.differences.length]).toEqual([1, 2, 2]);
    expect((await compare(pair, ["--include", "empty"])).code).toBe(0);
  });
});
