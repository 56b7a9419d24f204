import { expect, it } from "vitest";
import type { DiffOptions } from "../../../src/commands/diff/diff-options.ts";
import { remember } from "../../../src/commands/diff/history.ts";
import { type Interrupted, memoryToJson } from "../../../src/core/compare/progress/diff-history.ts";
import { StateFile } from "../../../src/state/job/state-file.ts";
import { KEY, workFolder } from "../../state/state-folder.ts";

const HOUR = 3_600_000;
const SEEN = new Map([["document orders/1", new Date(0)]]);

async function remembered(interrupted: Partial<Interrupted>, flags: Partial<DiffOptions> = {}) {
  const state = new StateFile(workFolder(), KEY);
  const now = new Date();
  const one = { since: now, saved: now, exact: true, collections: [], ...interrupted };
  await state.write(memoryToJson({ seen: SEEN, past: [], interrupted: one }));
  return await remember({ ignoreFieldOrder: false, restart: false, ...flags, state } as DiffOptions);
}

const ago = (hours: number) => new Date(Date.now() - hours * HOUR);

it("an interrupted comparison is resumed if it was as exact, saved within a day and begun within a week", async () => {
  for (const [interrupted, flags, goesOn] of [
    [{}, {}, true],
    [{ exact: false }, { ignoreFieldOrder: true }, true],
    [{ exact: true }, { ignoreFieldOrder: true }, true],
    [{ exact: false }, {}, false],
    [{ since: ago(23), saved: ago(23) }, {}, true],
    [{ since: ago(25), saved: ago(25) }, {}, false],
    [{ since: ago(160), saved: ago(1) }, {}, true],
    [{ since: ago(170), saved: ago(1) }, {}, false],
    [{ saved: ago(-2) }, {}, false],
  ] as const) {
    const { resumed, objection, memory } = await remembered(interrupted, flags);
    expect([resumed !== undefined, objection === undefined], JSON.stringify([interrupted, flags])).toEqual([
      goesOn,
      goesOn,
    ]);
    expect(memory.seen).toEqual(SEEN);
  }
});

it("nothing is remembered after --restart", async () => {
  const { memory, resumed } = await remembered({}, { restart: true });
  expect([memory.seen.size, resumed]).toEqual([0, undefined]);
});
