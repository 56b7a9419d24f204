import { expect, it } from "vitest";
import { shortfall } from "../../../src/core/walk/shortfall.ts";
import { doc } from "../../support/data/documents.ts";
import { MemoryStore } from "../../support/memory/memory-store.ts";

const never = new AbortController().signal;

/** What speaks against a store that held so many before, gave so many, and holds so many now. `meanwhile`: while it is watched. */
async function objection(
  before: number,
  given: number,
  now: number,
  meanwhile: (store: MemoryStore) => void = () => {},
): Promise<string | undefined> {
  const store = new MemoryStore(Array.from({ length: now }, (_, key) => doc({ _id: key })));
  const pause = async (): Promise<void> => meanwhile(store);
  const collection = {
    name: "t",
    kind: "collection",
    type: "collection",
    documents: before,
    bytes: 0,
    ordered: true,
  } as const;
  const giver = {
    store,
    role: "source",
    collection: { ...collection, options: new Map() },
    before,
    signal: never,
    pause,
  } as const;
  return await shortfall(giver, given);
}

it.each([
  [2_500, 1_000, 2_501],
  [90, 0, 91],
  [4, 2, 5],
  [100_000, 98_000, 99_999],
  [2_500, 2_499, 2_500],
])(
  "reports a possibly incomplete read when a store held %i documents, returned %i and now counts %i",
  async (...numbers) => {
    expect(await objection(...numbers)).toMatch(
      /^the source returned [0-9]+ documents but counts [0-9]+: some may not/,
    );
  },
);

it.each([
  [2_500, 2_500, 2_501],
  [2_500, 2_400, 2_501],
  [90, 85, 91],
  [100, 60, 20],
  [0, 3, 5],
  [400, 403, 400],
])(
  "accepts a read as complete when a store held %i documents, returned %i and now counts %i",
  async (...numbers) => {
    expect(await objection(...numbers)).toBe(undefined);
  },
);

it("accepts a read as complete when the store counts more all the time, but documents come and go in it", async () => {
  const exchanged = (store: MemoryStore): void => {
    store.documents = [...store.documents.slice(1), doc({ _id: 10_000 })];
  };
  expect(await objection(400, 397, 400, exchanged)).toBe(undefined);
  expect(await objection(400, 397, 400)).toMatch(/some may not/);
});
