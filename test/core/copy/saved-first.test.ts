import { setImmediate as turn } from "node:timers/promises";
import { expect, it } from "vitest";
import type { WriteSession } from "../../../src/connectors/contract.ts";
import { withMembers } from "../../../src/connectors/wrappers/with-members.ts";
import type { Journal } from "../../../src/core/change/journal.ts";
import { DocumentId } from "../../../src/model/document.ts";
import { doc, id } from "../../support/data/documents.ts";
import { memoryRun } from "../../support/memory/memory-run.ts";
import { MemoryStore } from "../../support/memory/memory-store.ts";
import { testRun } from "../../support/stores/claimed.ts";

const DOCUMENTS = Array.from({ length: 40 }, (_, n) => doc({ _id: n, n }));
/** Ranges, and batches of several lengths. */
const SOURCE = { lengths: [1, 5, 3], cuts: [id(10), id(25)] };

/** A journal on a slow disk, and the keys of what is safe there. From `fails` on it takes nothing. */
function slowJournal(fails = Number.POSITIVE_INFINITY): Journal & { readonly safe: Set<string> } {
  const safe = new Set<string>();
  let calls = 0;
  return {
    safe,
    async save(_, entries) {
      const keys = [...entries].map((entry) => new DocumentId(entry.id).key);
      if (++calls >= fails) throw new Error("the disk is full");
      for (let waits = 0; waits < 5; waits++) await turn();
      for (const key of keys) safe.add(key);
    },
  };
}

/** Fills an empty store and takes down what was written before it was safe. */
async function filled(journal: ReturnType<typeof slowJournal>, concurrency: number) {
  const target = new MemoryStore([]);
  const unsafe: string[] = [];
  const claimed = await target.claim(testRun("memory"));
  const write: WriteSession["write"] = (name, batch, mode, signal) => {
    unsafe.push(...batch.docs().flatMap(({ id: { key } }) => (journal.safe.has(key) ? [] : [key])));
    return claimed.write(name, batch, mode, signal);
  };
  const session = withMembers<WriteSession>(claimed, { write });
  const source = new MemoryStore(DOCUMENTS, SOURCE);
  const run = await memoryRun({ source, target, session }, { journal, savesAll: true, concurrency });
  return { ...run, target, unsafe };
}

it.each([1, 3])(
  "where everything is journaled, no batch is written before its entries are safe, however slow the disk (%i at once)",
  async (concurrency) => {
    const journal = slowJournal();
    const { report, unsafe, target } = await filled(journal, concurrency);
    expect(report).toMatchObject({ written: 40, verdict: "verified" });
    expect(unsafe).toEqual([]);
    expect([target.documents.length, journal.safe.size]).toEqual([40, 40]);
  },
);

it.each([1, 3])("what a full disk cannot save is not written (%i at once)", async (concurrency) => {
  const journal = slowJournal(4);
  const { error, unsafe, target } = await filled(journal, concurrency);
  expect(String(error)).toMatch(/the disk is full/);
  expect(unsafe).toEqual([]);
  expect(target.documents.length).toBeLessThan(40);
});
