// A process that uses a state file as its one argument, a JSON object, says. It prints what came of it as JSON.
import { pathToFileURL } from "node:url";
import { arm } from "./faulty-disk.js";

const { cwd, key, fault, act, content } = JSON.parse(process.argv[2] ?? "");
/** @param {string} name */
const load = async (name) => await import(pathToFileURL(`dist/state/${name}.js`).href);
const [{ StateFile }, { WholeFile }, { UndoJournal }] = await Promise.all(
  ["job/state-file", "files/whole-file", "undo/undo-journal"].map(load),
);
const state = new StateFile(cwd, key);

/** @type {Record<string, () => Promise<unknown>>} */
const acts = {
  read: () => state.read(),
  write: () => state.write(content),
  check: () => state.check(),
  remove: () => state.remove(),
  /** Writes a file of many lines, as a plan is written. */
  async whole() {
    const file = await WholeFile.create(`${cwd}/repair.plan`);
    try {
      // Not waited for one by one: the last to learn of a failure is the one that commits.
      for (let n = 0; n < content.lines; n++)
        file.write(`${n} ${"x".repeat(content.length)}\n`).catch(() => undefined);
      await file.commit();
    } finally {
      await file.discard();
    }
  },
  /** Saves one document after another, whatever becomes of the one before. */
  async journal() {
    const names = { run: "0a1b2c3d", command: "duplicate", target: "b", source: "a" };
    const journal = new UndoJournal(cwd, { ...names, started: new Date() });
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
  },
  /** Writes until it is killed, and says after each time which content is safe. */
  async loop() {
    for (let number = 1; ; number++) {
      await state.write({ number, text: "x".repeat((number * 7919) % 50_000) });
      process.stdout.write(`${number}\n`);
    }
  },
};

const calls = arm(fault);
let error;
try {
  await acts[act]?.();
} catch (caught) {
  const { name, exit, message, hint } = /** @type {Record<string, unknown>} */ (caught);
  error = { name, exit, message, hint };
}
console.log(JSON.stringify({ calls, error }));
