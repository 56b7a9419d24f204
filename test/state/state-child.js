// A process that uses a state file as its one argument, a JSON object, says. It prints what came of it as JSON.
import { pathToFileURL } from "node:url";
import { arm } from "./faulty-disk.js";

const { cwd, key, fault, act, content } = JSON.parse(process.argv[2] ?? "");
const { StateFile } = await import(pathToFileURL("dist/state/state-file.js").href);
const state = new StateFile(cwd, key);

/** @type {Record<string, () => Promise<unknown>>} */
const acts = {
  read: () => state.read(),
  write: () => state.write(content),
  check: () => state.check(),
  remove: () => state.remove(),
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
