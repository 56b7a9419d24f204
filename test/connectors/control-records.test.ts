import { expect, it } from "vitest";

import { historyOf, provenanceRecord, runRecord } from "../../src/connectors/control/control-records.ts";
import type { Provenance, RunRecord } from "../../src/connectors/powers/run-history.ts";

const FILLED: RunRecord = {
  command: "duplicate",
  from: "one.example/shop",
  run: "3f9c01ab",
  token: "t",
  complete: true,
  verified: false,
  since: new Date(1.7e12),
  documents: new Map([
    ["orders", 3],
    ["10", 1],
    ["a.$b", 0],
  ]),
};
const PROVENANCE: Provenance = {
  uid: "i",
  fromEmpty: true,
  from: "one.example/shop",
  source: "s",
};

it("control records are read as they were written, also after conversion to JSON", () => {
  const records = [runRecord(FILLED), provenanceRecord("backfill", "orders", PROVENANCE)].map(
    ({ id, content }) => [id, content] as const,
  );
  const expected = { lastRun: FILLED, collections: new Map([["orders", PROVENANCE]]) };
  expect(historyOf(records)).toEqual(expected);
  expect(historyOf(JSON.parse(JSON.stringify(records)))).toEqual(expected);
});

it("a restore keeps records of its own, and what it found is forgotten once it is complete", () => {
  const restore = { ...FILLED, command: "restore", complete: false };
  const found = { ...PROVENANCE, uid: "of the original" };
  const copied = [runRecord(FILLED), provenanceRecord("duplicate", "orders", PROVENANCE)];
  const restored = [runRecord(restore), provenanceRecord("restore", "orders", found)];
  const read = (records: typeof copied) => historyOf(records.map(({ id, content }) => [id, content]));
  const expected = { lastRun: FILLED, collections: new Map([["orders", PROVENANCE]]) };
  expect(read([...copied, ...restored])).toEqual({
    ...expected,
    lastRestore: restore,
    restored: new Map([["orders", found]]),
  });
  const complete = { ...restore, complete: true };
  expect(read([...copied, ...restored, runRecord(complete)])).toEqual({ ...expected, lastRestore: complete });
});

it("what restores write, and which of them did not end, is read as it was written, also after conversion to JSON", () => {
  const scope = {
    mode: "exact",
    collections: new Map([
      ["orders", ""],
      ["a.$b", "part"],
    ]),
  };
  const { run, from, since } = FILLED;
  const earlier = [
    { run: "one", from, since },
    { run: "two", from, since, scope, completedBy: run },
  ];
  const restore: RunRecord = { ...FILLED, command: "restore", scope, earlier };
  const records = [runRecord(restore)].map(({ id, content }) => [id, content] as const);
  const expected = { collections: new Map(), lastRestore: restore };
  expect(historyOf(records)).toEqual(expected);
  expect(historyOf(JSON.parse(JSON.stringify(records)))).toEqual(expected);
});

it("control records are read without the fields and records that only a later version knows", () => {
  const { id, content } = provenanceRecord("backfill", "orders", PROVENANCE);
  expect(
    historyOf([
      [id, { ...content, later: { much: true } }],
      ["later", {}],
    ]),
  ).toEqual({
    collections: new Map([["orders", PROVENANCE]]),
  });
});

it.each([[null], ["text"], [7], [[]], [{ documents: "x", since: "never", complete: "yes" }]])(
  "control records that hold nothing of use give an empty history: %j",
  (content) => {
    const { lastRun, collections } = historyOf([
      ["filled", content],
      ["collection orders", content],
    ]);
    expect(collections).toEqual(new Map());
    expect(lastRun).toEqual({
      command: "",
      from: "",
      run: "",
      token: "",
      complete: false,
      verified: false,
      since: new Date(0),
      documents: new Map(),
    });
  },
);
