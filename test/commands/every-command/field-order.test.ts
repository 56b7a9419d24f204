import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Db } from "mongodb";
import { beforeEach, describe, expect, it } from "vitest";
import { type CliResult, collectionRecord, summary } from "../../support/cli.ts";
import { folder } from "../../support/compared.ts";
import { serverPair } from "../../support/stores/pair.ts";

/** A server keeps no order of the fields of a measurement: what is said of a time-series must not promise one. */
const pair = serverPair();
const from = (): Db => pair.from.db(pair.database);
const BUT_ORDER = "but for the order of fields, which the store does not keep";

beforeEach(async () => {
  const readings = await from().createCollection("readings", {
    timeseries: { timeField: "at", metaField: "m" },
  });
  await readings.insertMany([1, 2, 3].map((n) => ({ z: n, at: new Date(n), m: 1, a: n })));
});

async function both(): Promise<[copied: CliResult, compared: CliResult, page: string]> {
  const cwd = folder();
  const copied = await pair.run(["duplicate", "--json"], cwd);
  const compared = await pair.run(["diff", "--json", "--report", "page.html"], cwd);
  expect([copied.code, compared.code], copied.stdout + compared.stdout).toEqual([0, 0]);
  return [copied, compared, readFileSync(join(cwd, "page.html"), "utf8")];
}

it("a time-series is never called equal byte for byte, in text, records or the page", async () => {
  const [copied, compared, page] = await both();
  expect(summary(copied.stdout)).toMatchObject({
    exact: false,
    verdict: expect.stringContaining(`read back and equal ${BUT_ORDER}`),
  });
  expect(summary(compared.stdout)).toMatchObject({
    exact: false,
    verdict: expect.stringContaining(`with their options and indexes, ${BUT_ORDER}`),
  });
  for (const { stdout } of [copied, compared]) {
    expect(collectionRecord(stdout, "readings")).toMatchObject({ exact: false });
    expect(stdout).not.toContain("byte for byte");
  }
  expect(page).toContain("equal except for the order of fields");
  const text = await pair.run(["diff"]);
  expect(text.stdout).toContain("equal does not mean equal byte for byte here");
});

describe("beside collections whose documents are compared byte for byte", () => {
  beforeEach(async () => {
    await from().collection("orders").insertOne({ n: 1 });
    await from().createCollection("view", { viewOn: "orders", pipeline: [] });
  });

  it("a time-series is named as the one that is not", async () => {
    const [copied, compared, page] = await both();
    const said = `byte for byte (readings: ${BUT_ORDER})`;
    for (const { stdout } of [copied, compared]) {
      expect(summary(stdout)).toMatchObject({ exact: false, verdict: expect.stringContaining(said) });
      expect(collectionRecord(stdout, "readings")).toMatchObject({ exact: false });
      expect(collectionRecord(stdout, "orders")).toMatchObject({ exact: true });
    }
    expect(page).toContain("equal byte for byte; in readings except for the order of fields");
    const text = await pair.run(["diff"]);
    expect(text.stdout).toContain("The order of fields was ignored in readings");
  });

  it("a comparison without the time-series is byte for byte", async () => {
    for (const command of ["duplicate", "diff"]) {
      const { stdout } = await pair.run([command, "--json", "--exclude", "readings"]);
      expect(summary(stdout)).toMatchObject({
        exact: true,
        verdict: expect.stringMatching(/byte for byte[.,]/),
      });
    }
  });

  it("--ignore-field-order is said of all collections", async () => {
    expect((await pair.duplicate()).code).toBe(0);
    const { stdout } = await pair.run(["diff", "--json", "--ignore-field-order"]);
    expect(summary(stdout)).toMatchObject({
      exact: false,
      verdict: expect.stringContaining("ignoring the order of fields"),
    });
    expect(collectionRecord(stdout, "orders")).toMatchObject({ exact: false });
  });
});
