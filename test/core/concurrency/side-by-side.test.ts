import { expect, it } from "vitest";
import type { CollectionInfo } from "../../../src/connectors/collection.ts";
import { sideBySide, smallAtOnce } from "../../../src/core/concurrency/side-by-side.ts";

it("starts with the largest collection, and with a definition only when all collections are done", async () => {
  const job = (name: string, kind: CollectionInfo["kind"], bytes: number) => ({
    from: { ...{ name, kind, type: kind, bytes, documents: 1, options: new Map(), ordered: true } },
  });
  const jobs = [
    job("view", "definition", 0),
    job("small", "collection", 10),
    job("large", "collection", 1_000_000),
    job("another view", "definition", 0),
  ];
  const seen: string[] = [];
  const stop = (error: unknown): never => {
    throw error;
  };
  await sideBySide(jobs, { concurrency: 4, small: 4, stop }, async ({ from }) => {
    seen.push(`${from.name} begins`);
    for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
    seen.push(`${from.name} ends`);
  });
  expect(seen.slice(0, 2)).toEqual(["large begins", "small begins"]);
  expect(seen.indexOf("view begins")).toBeGreaterThan(seen.indexOf("small ends"));
  expect(seen.indexOf("view begins")).toBeGreaterThan(seen.indexOf("large ends"));
});

it.each([
  [1, 16, 16, 1],
  [2, 16, 16, 8],
  [4, 16, 16, 16],
  [4, 16, undefined, 4],
  [8, 4, 16, 8],
])(
  "with --concurrency %i, stores that take %s and %s requests get %i small collections at a time",
  (concurrency, source, target, expected) => {
    const stores = { source: { parallel: source }, target: { parallel: target } };
    expect(smallAtOnce(stores, concurrency)).toBe(expected);
  },
);
