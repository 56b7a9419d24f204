import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type JobParts, type JobPlace, jobKey } from "../../src/state/job/job-key.ts";

const SEED = 20_261_121;

// Few and short texts of separators, so that parts that are nearly the same come often.
const text = fc.string({
  unit: fc.constantFrom("a", "b", ",", '"', "[", "]", ":", "\\", "\0", "\ud800", "\ufffd"),
  maxLength: 3,
});
const place = fc.record({ hosts: fc.array(text, { maxLength: 3 }), database: text });
const map = fc.dictionary(text, text, { maxKeys: 3 }).map((object) => new Map(Object.entries(object)));
const parts = fc.record({ command: text, source: place, target: place, filters: map, renames: map });

/** The parts with everything whose order is of no matter the other way round. */
function reversed(job: JobParts): JobParts {
  const side = (of: JobPlace): JobPlace => ({ ...of, hosts: [...of.hosts].reverse() });
  const pairs = (of: ReadonlyMap<string, string>): Map<string, string> => new Map([...of].reverse());
  return {
    command: job.command,
    source: side(job.source),
    target: side(job.target),
    filters: pairs(job.filters),
    renames: pairs(job.renames),
  };
}

function equal(left: JobParts, right: JobParts): boolean {
  const sameHosts = (a: JobPlace, b: JobPlace): boolean =>
    a.database === b.database &&
    a.hosts.length === b.hosts.length &&
    a.hosts.every((host) => count(a.hosts, host) === count(b.hosts, host));
  const samePairs = (a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>): boolean =>
    a.size === b.size && [...a].every(([name, value]) => b.get(name) === value);
  return (
    left.command === right.command &&
    sameHosts(left.source, right.source) &&
    sameHosts(left.target, right.target) &&
    samePairs(left.filters, right.filters) &&
    samePairs(left.renames, right.renames)
  );
}

const count = (list: readonly string[], item: string): number => list.filter((one) => one === item).length;

describe("jobKey", () => {
  it("returns 32 hexadecimal digits, whatever the order of hosts, filters and renames", () => {
    fc.assert(
      fc.property(parts, (job) => {
        expect(jobKey(job)).toMatch(/^[0-9a-f]{32}$/);
        expect(jobKey(reversed(job))).toBe(jobKey(job));
      }),
      { seed: SEED, numRuns: 2000 },
    );
  });

  it("returns equal keys exactly for equal jobs", () => {
    let same = 0;
    // One part of a job taken from another one: often they differ in one character, or in nothing.
    const pair = fc.tuple(parts, parts, fc.constantFrom("command", "source", "target", "filters", "renames"));
    fc.assert(
      fc.property(pair, ([job, other, part]) => {
        const changed = { ...reversed(job), [part]: other[part as keyof JobParts] };
        if (equal(job, changed)) same++;
        return (jobKey(job) === jobKey(changed)) === equal(job, changed);
      }),
      { seed: SEED, numRuns: 20_000 },
    );
    expect(same).toBeGreaterThan(200);
  });

  it("returns different keys for jobs whose parts would be equal if they were joined", () => {
    fc.assert(
      fc.property(fc.array(text, { minLength: 2, maxLength: 4 }), text, (hosts, database) => {
        const job = jobOf({ hosts, database });
        for (const separator of [",", '","', "", "\0"]) {
          const joined = jobOf({ hosts: [hosts.join(separator)], database });
          expect(jobKey(joined)).not.toBe(jobKey(job));
        }
        expect(jobKey(jobOf({ hosts: hosts.slice(1), database: `${hosts[0]}${database}` }))).not.toBe(
          jobKey(job),
        );
      }),
      { seed: SEED, numRuns: 1000 },
    );
  });

  it("returns different keys when source and target, or filters and renames, are swapped", () => {
    const [here, there] = [
      { hosts: ["a"], database: "x" },
      { hosts: ["b"], database: "x" },
    ];
    const some = new Map([["orders", "{}"]]);
    const job = { command: "duplicate", source: here, target: there, filters: some, renames: new Map() };
    expect(jobKey({ ...job, source: there, target: here })).not.toBe(jobKey(job));
    expect(jobKey({ ...job, filters: new Map(), renames: some })).not.toBe(jobKey(job));
  });

  it("uses nothing but the named parts, so that no credential affects the key", () => {
    const job = jobOf({ hosts: ["a"], database: "x" });
    const withPassword = jobOf({ hosts: ["a"], database: "x", password: "secret" } as JobPlace);
    expect(jobKey({ ...withPassword, user: "root" } as JobParts)).toBe(jobKey(job));
  });

  it("returns the same key in every version, so that a state is found again", () => {
    expect(jobKey(jobOf({ hosts: ["b:1", "a:1"], database: "shop" }))).toBe(
      "1f4e0ab642b74995b8ee854325b505c8",
    );
  });
});

function jobOf(source: JobPlace): JobParts {
  const target = { hosts: ["c:1"], database: "copy" };
  return { command: "duplicate", source, target, filters: new Map(), renames: new Map() };
}
