// A process that runs the built program again and again, as its parent says, and tells what came of each run and the
// most memory that it has had so far. It ends when its parent lets go of it and no run has left anything behind.
import { Readable, Writable } from "node:stream";
import { pathToFileURL } from "node:url";

const { run } = await import(pathToFileURL("dist/cli.js").href);

/** Somebody who reads all that comes. */
class Pipe extends Writable {
  text = "";

  constructor() {
    super({ decodeStrings: false });
  }

  /** @override @param {string | Uint8Array} chunk @param {string} _encoding @param {() => void} done */
  _write(chunk, _encoding, done) {
    this.text += typeof chunk === "string" ? chunk : Buffer.from(chunk).toString();
    done();
  }
}

process.on(
  "message",
  async (/** @type {{ args: string[], env: Record<string, string>, cwd: string }} */ work) => {
    const [stdout, stderr] = [new Pipe(), new Pipe()];
    const code = await run(work.args, {
      ...{ env: work.env, stdout, stderr, stdin: Readable.from([]), cwd: () => work.cwd },
      ...{ on: () => undefined, off: () => undefined },
      exit() {
        throw new Error("only a second signal ends the process at once");
      },
    });
    const memory = process.resourceUsage().maxRSS * 1_024;
    process.send?.({ code, said: stdout.text + stderr.text, memory });
  },
);
process.send?.("ready");
