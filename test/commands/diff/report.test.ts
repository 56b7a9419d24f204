import { expect, it } from "vitest";
import type { DiffOptions } from "../../../src/commands/diff/diff-options.ts";
import { reportOf } from "../../../src/commands/diff/diff-report.ts";
import type { Compared } from "../../../src/commands/diff/diff-verdict.ts";
import type { Findings } from "../../../src/commands/diff/findings.ts";
import type { ComparedCollection } from "../../../src/model/reporter.ts";
import { compared } from "../../reporting/comparison-samples.ts";

const OPTIONS = {
  ...{
    from: { kind: "mongodb", label: "a/shop" },
    to: { kind: "mongodb", label: "b/shop" },
    oneWay: false,
    indexes: true,
    selective: false,
  },
} as unknown as DiffOptions;

function report(collections: readonly Partial<ComparedCollection>[], counted = 0, ended?: string) {
  const findings = { counted, samples: [] } as Partial<Findings> as Findings;
  const found: Compared = {
    ...{ findings, ended, since: new Date(0), exact: true, bytesCompared: 1, bytesRead: 1 },
    ...{ collections: collections.map((one) => compared("orders", one)), ranges: { done: 1, total: 1 } },
  };
  const pairs = { pairs: [], missing: [], extra: [], lost: [], left: [], renames: new Map() };
  const { exitCode, complete, verdict } = reportOf(OPTIONS, pairs, found, {
    memory: { seen: new Map(), past: [] },
  });
  return { exitCode, complete, verdict };
}

const fine = { verdict: "identical", missing: 0, extra: 0, changed: 0, metadata: 0 } as const;
const none = { ...fine, moving: 0, unreadable: 0, accepted: 0, settled: 0, expired: 0 } as const;
const unread = { sourceDocuments: 0, targetDocuments: 0, equal: 0, complete: false } as const;
const different = { ...none, verdict: "different", changed: 1 } as const;

it.each([
  ["everything is equal", [none, none], 0, undefined, 0, true, /^Identical\./],
  [
    "something was accepted",
    [{ ...none, verdict: "accepted", accepted: 1 }],
    0,
    undefined,
    0,
    true,
    /^Identical except for 1 difference that is accepted\./,
  ],
  [
    "something has expired",
    [{ ...none, expired: 2 }],
    0,
    undefined,
    0,
    true,
    /^Identical except for 2 documents that are due to expire\./,
  ],
  [
    "something settled",
    [{ ...none, settled: 1 }],
    0,
    undefined,
    0,
    true,
    /^Identical\..* 1 document differed at first/,
  ],
  ["something differs", [none, different], 1, undefined, 1, true, /^Different: 1 changed\./],
  [
    "something keeps changing",
    [none, { ...none, verdict: "moving", moving: 1 }],
    0,
    undefined,
    12,
    true,
    /^Inconclusive: 1 document kept changing during the comparison\. Compared/,
  ],
  [
    "something differs and something keeps changing",
    [different, { ...none, moving: 1 }],
    1,
    undefined,
    1,
    true,
    /^Different.* 1 document kept/,
  ],
  [
    "something could not be read",
    [none, { ...none, verdict: "not compared", unreadable: 1 }],
    0,
    undefined,
    12,
    false,
    /^Inconclusive: not everything was compared\. 1 item could not be compared/,
  ],
  [
    "a collection could not be looked at",
    [none, { ...none, ...unread, unreadable: 1, verdict: "not compared" }],
    0,
    undefined,
    12,
    false,
    /\(marked !\)\. Compared: 1,200 documents in 1 collection /,
  ],
  [
    "something was not reached",
    [none, { ...none, verdict: "not compared" }],
    0,
    undefined,
    12,
    false,
    /^Inconclusive: not everything/,
  ],
  [
    "something differs, and part of the same collection could not be read",
    [{ ...different, unreadable: 1 }],
    1,
    undefined,
    1,
    false,
    /^Different.*The comparison is incomplete\./,
  ],
  [
    "it ended early",
    [none],
    0,
    "--max-minutes",
    12,
    false,
    /^Inconclusive: .*\(--max-minutes\).*within a day to resume/,
  ],
  [
    "it ended early, and something differs",
    [different],
    1,
    "--max-diffs",
    1,
    false,
    /^Different.*\(--max-diffs\).*incomplete/,
  ],
] as const)(
  "reports the exit status, the completeness and the verdict when %s",
  (_what, collections, counted, ended, code, complete, verdict) => {
    expect(report(collections, counted, ended)).toEqual({
      ...{ exitCode: code, complete, verdict: expect.stringMatching(verdict) },
    });
  },
);
