// A process that uses a state file as its one argument, a JSON array, says: one piece of work after the other. It prints
// what came of each as JSON, on a line of its own.
import { pathToFileURL } from "node:url";
import { arm } from "./faulty-disk.js";

/** @typedef {{ cwd: string, key: string, act: string, content?: any, fault?: import("./child.ts").Fault }} Work */

/** @param {string} name */
const load = async (name) => await import(pathToFileURL(`dist/state/${name}.js`).href);

/** Each loads what it needs, and gives back what is then done. @type {Record<string, (work: Work) => Promise<() => Promise<unknown>>>} */
const acts = {
  read: async (work) => {
    const state = await stateFile(work);
    return () => state.read();
  },
  write: async (work) => {
    const state = await stateFile(work);
    return () => state.write(work.content);
  },
  check: async (work) => {
    const state = await stateFile(work);
    return () => state.check();
  },
  remove: async (work) => {
    const state = await stateFile(work);
    return () => state.remove();
  },
  /** Writes a file of many lines, as a plan is written. */
  whole: async ({ cwd, content }) => {
    const { WholeFile } = await load("files/whole-file");
    return async () => {
      const file = await WholeFile.create(`${cwd}/repair.plan`);
      try {
        // Not waited for one by one: the last to learn of a failure is the one that commits.
        for (let n = 0; n < content.lines; n++)
          file.write(`${n} ${"x".repeat(content.length)}\n`).catch(() => undefined);
        await file.commit();
      } finally {
        await file.discard();
      }
    };
  },
  /** Saves one document after another, whatever becomes of the one before. */
  journal: async ({ cwd }) => {
    const { UndoJournal } = await load("undo/undo-journal");
    const names = { run: "0a1b2c3d", command: "duplicate", target: "b", source: "a" };
    const journal = new UndoJournal(cwd, { ...names, started: new Date() });
    return async () => {
      /** @type {unknown} */
      let failure;
      for (const number of [1, 2]) {
        const entry = { id: Buffer.from([16, number, 0, 0, 0]), before: Buffer.alloc(9) };
        await journal.save({ name: "orders" }, [entry]).catch((/** @type {unknown} */ error) => {
          failure ??= error;
        });
      }
      await journal.close();
      if (failure !== undefined) throw failure;
    };
  },
  /** Writes until it is killed, and says after each time which content is safe. */
  loop: async (work) => {
    const state = await stateFile(work);
    return async () => {
      for (let number = 1; ; number++) {
        await state.write({ number, text: "x".repeat((number * 7919) % 50_000) });
        process.stdout.write(`${number}\n`);
      }
    };
  },
};

/** @param {Work} work */
async function stateFile({ cwd, key }) {
  return new (await load("job/state-file")).StateFile(cwd, key);
}

for (const work of JSON.parse(process.argv[2] ?? "")) {
  const act = await acts[work.act]?.(work);
  const calls = arm(work.fault);
  let error;
  try {
    await act?.();
  } catch (caught) {
    const { name, exit, message, hint } = /** @type {Record<string, unknown>} */ (caught);
    error = { name, exit, message, hint };
  }
  console.log(JSON.stringify({ calls, error }));
}
