import { appendFileSync, readdirSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import type { UndoEntry } from "../../src/state/undo/undo-format.ts";
import { UndoJournal } from "../../src/state/undo/undo-journal.ts";
import { listJournals } from "../../src/state/undo/undo-list.ts";
import { workFolder } from "./state-folder.ts";

const RUN = "0a1b2c3d";
const HEAD = {
  run: RUN,
  command: "duplicate",
  target: "host/copy",
  source: "host/shop",
  started: new Date(),
};

/** A document that was replaced, or that was added. */
function entry(n: number): UndoEntry {
  const after = { sha256: Buffer.alloc(32, n), bytes: n };
  return n === 1 ? { id: Buffer.of(8, 1), before: Buffer.alloc(5), after } : { id: Buffer.of(8, 0), after };
}

it("removes undo journals after 30 days, and never removes unknown files", async () => {
  const day = 86_400_000;
  const cwd = workFolder();
  const ago = (days: number) => new Date(Date.now() - days * day);
  // A clock that was wrong once costs no journal: both what it says and its file must be old.
  for (const [run, days, modified] of [
    ["bbbbbbbb", 29, 29],
    ["dddddddd", 30.5, 3],
    ["cccccccc", 3, 40],
    ["aaaaaaaa", 31, 31],
  ] as const) {
    const journal = new UndoJournal(cwd, { ...HEAD, run, started: ago(days) });
    await journal.save({ name: "orders" }, [entry(1)]);
    await journal.close();
    utimesSync(join(cwd, ".dualsync", `undo-${run}.journal`), ago(modified), ago(modified));
  }
  writeFileSync(join(cwd, ".dualsync", "undo-of-mine.journal"), "mine");
  expect((await listJournals(cwd)).map(({ run }) => run)).toEqual([
    "cccccccc",
    "bbbbbbbb",
    "dddddddd",
    "aaaaaaaa",
  ]);
  const journal = new UndoJournal(cwd, HEAD);
  await journal.save({ name: "orders" }, [entry(1)]);
  await journal.close();
  const left = readdirSync(join(cwd, ".dualsync")).filter((name) => name.startsWith("undo"));
  expect(left.sort()).toEqual([
    ...[RUN, "bbbbbbbb", "cccccccc", "dddddddd"].map((run) => `undo-${run}.journal`),
    "undo-of-mine.journal",
  ]);
});

it("lists a damaged undo journal beside the others", async () => {
  const cwd = workFolder();
  const first = new UndoJournal(cwd, HEAD);
  await first.save({ name: "orders" }, [entry(1)]);
  await first.complete();
  await first.close();
  const { saved } = first;
  const path = join(cwd, ".dualsync", `undo-${RUN}.journal`);
  appendFileSync(path, "x".repeat(50));
  const journal = new UndoJournal(cwd, { ...HEAD, run: "bbbbbbbb" });
  await journal.save({ name: "orders" }, [entry(1), entry(3)]);
  await journal.close();
  const [other, damaged] = (await listJournals(cwd)).sort((a, b) => (a.run < b.run ? 1 : -1));
  expect(damaged).toMatchObject({
    run: RUN,
    bytes: saved.bytes + 50,
    content: { message: expect.stringMatching(/damaged/) },
  });
  expect(other).toMatchObject({
    run: "bbbbbbbb",
    content: { documents: 1, added: 1, state: { complete: false } },
  });
});
