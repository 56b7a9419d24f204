// A process that writes or prunes runs of archives, as its one argument, a JSON array, says: one piece of work after the other. It
// prints what came of each as JSON, on a line of its own.
import { pathToFileURL } from "node:url";
import { serialize } from "bson";
import { arm } from "../../../state/faulty-disk.js";

/** @typedef {{ folder: string, act: "write" | "prune", run: string, gzip: boolean, documents: number, fault?: import("../../../state/child.ts").Fault }} Work */

/** @param {string} name */
const load = async (name) => await import(pathToFileURL(`dist/${name}.js`).href);

const { beginRun } = await load("connectors/archive/run/run-sink");
const { prune } = await load("connectors/archive/run/prune");
const { Batch } = await load("model/document");

const { signal } = new AbortController();

/** @param {number[]} ids */
function batchOf(ids) {
  let end = 0;
  const documents = ids.map((id) => serialize({ _id: id, text: `number ${id}` }));
  const ends = documents.map((document) => {
    end += document.length;
    return end;
  });
  return new Batch(Buffer.concat(documents), ends);
}

/** @param {string} name @param {boolean} ordered @param {string} kind */
function info(name, ordered, kind) {
  return { name, kind, type: kind, options: new Map(), ordered, documents: 0, bytes: 0 };
}

/** @param {Work} work */
async function write({ folder, run, gzip, documents }) {
  const ids = Array.from({ length: documents }, (_, index) => index);
  const sink = await beginRun(folder, {
    run,
    command: "duplicate",
    source: { label: "a", kind: "mongodb", product: "" },
    database: "db",
    gzip,
    version: "0.1.0",
    now: () => new Date(`2026-11-30T00:00:0${run.at(-1)}Z`),
  });
  try {
    for (const [collection, order] of /** @type {const} */ ([
      [info("orders", true, "collection"), ids],
      [info("shuffled", false, "collection"), ids.toReversed()],
      [info("paid", true, "definition"), []],
    ])) {
      const into = await sink.begin(collection, [], signal);
      if (order.length > 0) await into.write(batchOf([...order]), signal);
      await into.end({ doubts: [] }, signal);
    }
    const reader = await sink.reopen(signal);
    for await (const _ of reader.read(info("orders", true, "collection"), { signal }));
    await reader.close();
    await sink.publish({ verified: true, lacks: [] }, signal);
  } finally {
    await sink.discard();
  }
}

/** @param {any} error */
function described(error) {
  const { name, exit, message, hint } = error;
  return { name, exit, message, hint };
}

for (const work of /** @type {Work[]} */ (JSON.parse(process.argv[2] ?? "[]"))) {
  const calls = arm(work.fault);
  const doing = work.act === "write" ? write(work) : prune(work.folder, 1, { run: "00000002", source: "a" });
  const error = await doing.then(() => undefined, described);
  process.stdout.write(`${JSON.stringify({ calls: [...calls], error })}\n`);
}
