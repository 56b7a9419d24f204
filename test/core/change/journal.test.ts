import { expect, it } from "vitest";
import type { Journal } from "../../../src/core/change/journal.ts";
import type { Doc } from "../../../src/model/document.ts";
import { doc, hexOf } from "../../support/data/documents.ts";
import { memoryRun } from "../../support/memory/memory-run.ts";
import { MemoryStore } from "../../support/memory/memory-store.ts";

function rows(ids: readonly number[], n: number): Doc[] {
  return ids.map((_id) => doc({ _id, n }));
}

/** What a copy with --delete saves: of documents that were there, their bytes; of others, that they are new. */
async function savedOf(foreign: boolean): Promise<{ before: string[]; added: number }> {
  const saved = { before: [] as string[], added: 0 };
  const journal: Journal = {
    async save(collection, entries) {
      expect(collection).toEqual({ name: "orders", uid: "the target's" });
      for (const { before } of entries) {
        if (before === undefined) saved.added++;
        else saved.before.push(Buffer.from(before).toString("hex"));
      }
    },
  };
  const source = new MemoryStore(rows([1, 2, 3, 4, 5, 6, 7], 1));
  const target = new MemoryStore([...rows([1, 2], 1), ...rows([3, 4], 2), ...rows([8, 9], 3)], { foreign });
  const { error, report } = await memoryRun({ source, target }, { remove: true, journal });
  expect([error, report?.verdict, report?.deleted]).toEqual([undefined, "verified", 2]);
  expect(hexOf(target.documents)).toEqual(hexOf(source.documents));
  return saved;
}

it("journals every change in an unmanaged collection, but only replaced and removed documents in a managed one", async () => {
  const before = [...hexOf(rows([3, 4], 2)), ...hexOf(rows([8, 9], 3))];
  expect(await savedOf(true)).toEqual({ before, added: 3 });
  expect(await savedOf(false)).toEqual({ before, added: 0 });
});

it("changes nothing in the target that could not be journaled", async () => {
  const journal: Journal = {
    async save() {
      throw new Error("full");
    },
  };
  const source = new MemoryStore(rows([1, 2, 3], 1));
  const target = new MemoryStore(rows([1, 2, 9], 2), { foreign: true });
  const before = hexOf(target.documents);
  const { error } = await memoryRun({ source, target }, { remove: true, journal });
  expect(error).toMatchObject({ message: "full" });
  expect(hexOf(target.documents)).toEqual(before);
});

it("names what an unmanaged target rejects, and writes the rest", async () => {
  // The store in memory takes no dates.
  const source = new MemoryStore([...rows([1, 2], 1), doc({ _id: new Date(1) })]);
  const target = new MemoryStore(rows([1], 2), { foreign: true });
  const journal: Journal = { async save() {} };
  const { error, report, losses } = await memoryRun({ source, target }, { journal });
  expect([error, report?.rejected, losses.total]).toEqual([undefined, 1, 1]);
  expect(hexOf(target.documents)).toEqual(hexOf(rows([1, 2], 1)));
});
