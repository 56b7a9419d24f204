import { describe, expect, it } from "vitest";
import { withDatabase } from "../../services/mongodb/mongodb.ts";
import { dualsync } from "../../support/cli.ts";
import { compare, findings } from "../../support/compared.ts";
import { serverPair } from "../../support/stores/pair.ts";

const pair = serverPair({}, {}, {});

async function fill(sides = [pair.from, pair.to]): Promise<void> {
  for (const client of sides)
    await client
      .db(pair.database)
      .collection("orders")
      .insertMany([{ n: 1 }, { n: 2 }]);
}

describe("one store under two addresses", () => {
  const diff = (from: string, to: string) =>
    dualsync(["diff", "--from", "env:LIVE", "--to", "env:COPY", "--settle", "0"], {
      env: { LIVE: withDatabase(from, pair.database), COPY: withDatabase(to, pair.database) },
    });

  it("refuses to compare a store with itself under two names of one machine", async () => {
    await fill();
    const uri = `mongodb://127.0.0.1:${pair.source.port}/?directConnection=true`;
    const { code, stderr } = await diff(uri, uri.replace("127.0.0.1", "localhost"));
    expect([code, stderr]).toEqual([6, expect.stringMatching(/same database/)]);
  });

  it("refuses to compare a store with itself through a proxy", async () => {
    await fill();
    const { code, stderr } = await diff(
      `mongodb://127.0.0.1:${pair.source.port}/?directConnection=true`,
      pair.source.uri,
    );
    expect([code, stderr]).toEqual([6, expect.stringMatching(/same database/)]);
  });

  it("compares two databases of one server", async () => {
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

describe("empty stores", () => {
  it("refuses to compare two empty databases", async () => {
    const compared = await compare(pair);
    expect([compared.code, compared.error?.message]).toEqual([
      6,
      expect.stringMatching(/has a collection to compare/),
    ]);
  });

  it("reports an empty copy as different", async () => {
    await fill([pair.from]);
    const compared = await compare(pair);
    expect([compared.code, findings(compared)]).toEqual([1, ["metadata collection orders"]]);
    expect(compared.differences[0]?.detail).toBe("only in the source (2 documents)");
  });

  it("reports an empty source as different, except with --one-way", async () => {
    await fill([pair.to]);
    const compared = await compare(pair);
    expect([compared.code, findings(compared)]).toEqual([1, ["metadata collection orders"]]);
    expect((await compare(pair, ["--one-way"])).code).toBe(0);
  });

  it("reports all documents of a collection as missing from an empty one, and two empty ones as equal", async () => {
    await fill([pair.from]);
    await pair.to.db(pair.database).createCollection("orders");
    for (const client of [pair.from, pair.to]) await client.db(pair.database).createCollection("empty");
    const compared = await compare(pair);
    expect([compared.code, compared.summary?.missing, compared.differences.length]).toEqual([1, 2, 2]);
    expect((await compare(pair, ["--include", "empty"])).code).toBe(0);
  });
});
