import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { serverErrors } from "../../services/wire-proxy/faults/errors.ts";
import { fillMixed } from "../../support/data/mixed-database.ts";
import { snapshot } from "../../support/data/snapshot.ts";
import { copyDisturbed, type Disturbance, type DisturbedCopy } from "../../support/disturbed.ts";
import { serverPair } from "../../support/stores/pair.ts";

/** What servers answer on bad days, and what becomes of a copy. */
const pair = serverPair({}, {}, { face: "replica-set" });
/** The source is the same for all tests, the target empty before each. */
const DATABASE = "retried";

let wanted: Record<string, unknown>;
beforeAll(async () => {
  await fillMixed(pair.from, DATABASE);
  wanted = await snapshot(pair.from, DATABASE);
});
beforeEach(async () => {
  await pair.to.db(DATABASE).dropDatabase();
});

function copyWith(disturb: () => Disturbance | undefined): Promise<DisturbedCopy> {
  return copyDisturbed(pair, disturb, DATABASE);
}

async function expectIdentical(): Promise<void> {
  expect(await snapshot(pair.to, DATABASE)).toEqual(wanted);
}

const PASSING = ["stepDown", "shutdown", "interruptedAtShutdown", "cursorNotFound", "timeLimit"] as const;

describe("temporary faults", () => {
  it.each(PASSING)("completes a copy in one run despite %s while the source is read", async (name) => {
    const error = serverErrors[name];
    const { disturbed } = await copyWith(() => {
      pair.sourceProxy.fail({ on: "find", collection: "orders", nth: 2, error });
      pair.sourceProxy.fail({ on: "getMore", collection: "orders", nth: 2, error });
      pair.sourceProxy.fail({ on: ["aggregate", "listIndexes", "listCollections", "collStats"], error });
      return undefined;
    });
    expect([disturbed.code, disturbed.stderr]).toEqual([0, expect.not.stringMatching(/error/)]);
    await expectIdentical();
  });

  it.each(["stepDown", "shutdown", "writeConcernTimeout"] as const)(
    "completes a copy in one run despite %s while the target is written",
    async (name) => {
      const error = serverErrors[name];
      const { disturbed } = await copyWith(() => {
        pair.targetProxy.fail({ on: "insert", collection: "orders", nth: 2, error });
        pair.targetProxy.fail({
          on: ["createIndexes", "create", "update", "find"],
          every: 4,
          times: 6,
          error,
        });
        return undefined;
      });
      expect([disturbed.code, disturbed.stderr]).toEqual([0, expect.not.stringMatching(/error/)]);
      await expectIdentical();
    },
  );

  it("neither duplicates nor loses a write that was applied but whose reply was lost", async () => {
    const { disturbed } = await copyWith(() => {
      pair.targetProxy.fail({ on: "insert", collection: "orders", every: 2, times: 3, drop: "after" });
      pair.targetProxy.fail({ on: "insert", collection: "customers", drop: "after" });
      pair.targetProxy.fail({ on: ["createIndexes", "update", "create"], every: 3, times: 3, drop: "after" });
      return undefined;
    });
    expect([disturbed.code, disturbed.stderr]).toEqual([0, expect.not.stringMatching(/error/)]);
    await expectIdentical();
  });

  it("repeats a write that was not acknowledged by a majority", async () => {
    const writeConcernError = { code: 64, codeName: "WriteConcernFailed", errmsg: "waiting timed out" };
    const { disturbed } = await copyWith(() => {
      const adds = { writeConcernError };
      pair.targetProxy.fail({ on: "insert", collection: "orders", every: 2, times: 3, adds });
      return undefined;
    });
    expect([disturbed.code, disturbed.stderr]).toEqual([0, expect.not.stringMatching(/error/)]);
    await expectIdentical();
  });

  it("completes a copy in one run despite a failover of the source and one of the target", async () => {
    let failovers = 0;
    const { disturbed } = await copyWith(() => {
      const start = pair.targetProxy.fail({ on: "insert", collection: "orders", delayMs: 1 });
      return (child) => {
        const timer = setInterval(() => {
          if (start.happened === 0) return;
          clearInterval(timer);
          pair.sourceProxy.stepDown({ forMs: 3_000 });
          pair.targetProxy.stepDown({ forMs: 5_000 });
          failovers++;
        }, 5);
        child.once("exit", () => clearInterval(timer));
      };
    });
    expect(failovers).toBe(1);
    expect([disturbed.code, disturbed.stderr]).toEqual([0, expect.not.stringMatching(/error/)]);
    await expectIdentical();
  });
});

describe("permanent faults", () => {
  it.each([
    // A right that is missing for one collection is a loss of that collection.
    ["source", "find", "noRight", 3, /collection orders: .*not authorized/],
    ["target", "insert", "noRight", 3, /collection orders: .*not authorized/],
    ["target", "insert", "diskFull", 5, /space/],
    ["target", "insert", "freeTierFull", 5, /full|space|quota/],
    ["target", "createIndexes", "diskFull", 5, /space/],
  ] as const)(
    "reports a permanent fault of the %s in %s (%s), and the next run completes the copy",
    async (side, on, name, status, sentence) => {
      const error = serverErrors[name];
      const { disturbed, again } = await copyWith(() => {
        const proxy = side === "source" ? pair.sourceProxy : pair.targetProxy;
        proxy.fail({ on, collection: "orders", every: 1, error });
        return undefined;
      });
      const said = status === 3 ? disturbed.stdout : disturbed.stderr;
      expect([disturbed.code, said]).toEqual([status, expect.stringMatching(sentence)]);
      expect((await again()).code).toBe(0);
      await expectIdentical();
    },
  );

  it("reports a target that never answers again, and the next run completes the copy", async () => {
    const { disturbed, again } = await copyWith(() => {
      pair.targetProxy.stepDown();
      return undefined;
    });
    expect([disturbed.code, disturbed.stderr]).toEqual([5, expect.stringMatching(/target/)]);
    expect((await again()).code).toBe(0);
    await expectIdentical();
  });
});

it("Ctrl-C ends a run within seconds when the target has fallen silent", async () => {
  const silent = ["insert", "update", "delete", "find", "getMore", "drop", "aggregate", "listCollections"];
  let stopped = Number.NaN;
  const { disturbed, again } = await copyWith(() => {
    const start = pair.targetProxy.fail({ on: "insert", collection: "orders", delayMs: 1 });
    return (child) => {
      const timer = setInterval(() => {
        if (start.happened === 0) return;
        clearInterval(timer);
        pair.targetProxy.fail({ on: silent, every: 1, hang: "before" });
        stopped = performance.now();
        child.kill("SIGINT");
        child.once("exit", () => {
          stopped = performance.now() - stopped;
        });
      }, 5);
      child.once("exit", () => clearInterval(timer));
    };
  });
  expect([disturbed.code, disturbed.stderr]).toEqual([
    130,
    expect.stringMatching(/Could not release the lock/),
  ]);
  expect(stopped).toBeLessThan(10_000);
  expect((await again()).code).toBe(0);
  await expectIdentical();
});
