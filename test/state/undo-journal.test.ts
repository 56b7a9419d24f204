import {
  chmodSync,
  existsSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { expect, it } from "vitest";
import { DualsyncError } from "../../src/model/errors.ts";
import type { UndoEntry } from "../../src/state/undo/undo-format.ts";
import { encodeFrame, SEED, START, SUM } from "../../src/state/undo/undo-format.ts";
import { markJournal, UndoJournal } from "../../src/state/undo/undo-journal.ts";
import { listJournals } from "../../src/state/undo/undo-list.ts";
import { UndoReader } from "../../src/state/undo/undo-reader.ts";
import { workFolder } from "./state-folder.ts";

const RUN = "0a1b2c3d";
const HEAD = {
  run: RUN,
  command: "duplicate",
  target: "host/shop_backup",
  source: "host/shop",
  started: new Date(),
};

function entry(n: number): UndoEntry {
  const id = Buffer.from([16, n, 0, 0, 0]);
  const after = { sha256: Buffer.alloc(32, n + 1), bytes: n };
  if (n % 3 === 0) return { id, after };
  return n % 3 === 1 ? { id, before: Buffer.alloc(n * 7, n), after } : { id, before: Buffer.alloc(n, 1) };
}

interface Read {
  readonly collection: string;
  readonly entry: string;
}

function flat(name: string, { id, before, after }: UndoEntry): Read {
  const hex = (bytes: Uint8Array | undefined) => bytes && Buffer.from(bytes).toString("hex");
  return {
    collection: name,
    entry: JSON.stringify([hex(id), hex(before), hex(after?.sha256), after?.bytes]),
  };
}

async function readAll(reader: UndoReader): Promise<Read[]> {
  const found: Read[] = [];
  for await (const { collection, entries } of reader.entries())
    found.push(...entries.map((one) => flat(`${collection.name}@${collection.uid}`, one)));
  return found;
}

/** A journal of a few records of a run that finished. */
async function written(complete = true) {
  const cwd = workFolder();
  const journal = new UndoJournal(cwd, HEAD);
  const expected: Read[] = [];
  for (const [at, name] of ["orders", "été", "orders"].entries()) {
    const entries = [0, 1, 2].map((n) => entry(at * 3 + n));
    await journal.save({ name, uid: `i${at}` }, entries);
    expected.push(...entries.map((one) => flat(`${name}@i${at}`, one)));
  }
  if (complete) await journal.complete();
  await journal.close();
  const path = join(cwd, ".dualsync", `undo-${RUN}.journal`);
  return { cwd, path, expected, saved: journal.saved, bytes: readFileSync(path) };
}

async function refusalOf(work: Promise<unknown>): Promise<string> {
  const error: unknown = await work.then(
    (content) => expect.fail(`accepted: ${JSON.stringify(content)}`),
    (caught: unknown) => caught,
  );
  if (!(error instanceof DualsyncError)) throw error;
  expect([error.exit, error.message, error.hint]).toEqual([
    "local",
    expect.stringContaining(`.dualsync/undo-${RUN}.journal`),
    expect.stringMatching(/^Nothing was changed\. /),
  ]);
  return error.message;
}

it("an undo journal returns what was saved, in order, from a file that only this user can read", async () => {
  const { cwd, path, expected, saved, bytes } = await written();
  const reader = new UndoReader(cwd, RUN);
  expect(await reader.head()).toEqual(HEAD);
  expect(await readAll(reader)).toEqual(expected);
  expect(reader.torn).toBe(false);
  expect(saved).toEqual({
    documents: 6,
    added: 3,
    bytes: bytes.length,
  });
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

it("an undo journal queues concurrent saves in order", async () => {
  const cwd = workFolder();
  const journal = new UndoJournal(cwd, HEAD);
  const entries = Array.from({ length: 12 }, (_, n) => entry(n));
  await Promise.all(entries.map((one) => journal.save({ name: "orders", uid: "i" }, [one])));
  await journal.close();
  expect(await readAll(new UndoReader(cwd, RUN))).toEqual(entries.map((one) => flat("orders@i", one)));
});

it("an undo journal creates no file before there is something to save", async () => {
  const cwd = workFolder();
  const journal = new UndoJournal(cwd, HEAD);
  await journal.save({ name: "orders" }, []);
  await journal.complete();
  await journal.close();
  expect(existsSync(join(cwd, ".dualsync"))).toBe(false);
});

it("an undo journal splits what is too large for one record", async () => {
  const cwd = workFolder();
  const journal = new UndoJournal(cwd, HEAD);
  const large = Array.from({ length: 5 }, (_, n) => ({
    id: Buffer.of(16, n),
    before: Buffer.alloc(16_000_000, n),
  }));
  await journal.save({ name: "large" }, large);
  await journal.close();
  const lengths: number[] = [];
  for await (const { entries } of new UndoReader(cwd, RUN).entries()) lengths.push(entries.length);
  expect(lengths).toEqual([1, 1, 1, 1, 1]);
});

it("rejects an undo journal with any single bit flipped", async () => {
  const { cwd, path, bytes } = await written();
  for (let index = 0; index < bytes.length; index++) {
    const flipped = Buffer.from(bytes);
    flipped.writeUInt8(bytes.readUInt8(index) ^ (1 << (index % 8)), index);
    writeFileSync(path, flipped);
    await refusalOf(readAll(new UndoReader(cwd, RUN)));
  }
});

it("reads an undo journal cut off at any length as that of a killed run", async () => {
  const { cwd, path, bytes, expected } = await written(false);
  let whole = 0;
  for (let length = 0; length < bytes.length; length++) {
    writeFileSync(path, bytes.subarray(0, length));
    const reader = new UndoReader(cwd, RUN);
    const found = await readAll(reader);
    expect(found).toEqual(expected.slice(0, found.length));
    expect(found.length % 3).toBe(0);
    if (!reader.torn) whole++;
  }
  // Nothing, the first line, the head, and one or two saves: everywhere else the rest of a record is missing.
  expect(whole).toBe(5);
});

it("reads trailing zeros in an undo journal as a power cut, and any other trailing bytes as damage", async () => {
  const { cwd, path, bytes, expected } = await written(false);
  const reader = new UndoReader(cwd, RUN);
  const full = (await readAll(reader)).length;
  expect(full).toBe(9);
  const last = bytes.length - 200;
  writeFileSync(path, Buffer.concat([bytes.subarray(0, last), Buffer.alloc(200)]));
  const zeroed = new UndoReader(cwd, RUN);
  expect(await readAll(zeroed)).toEqual(expected.slice(0, 6));
  expect(zeroed.torn).toBe(true);
  writeFileSync(path, Buffer.concat([bytes.subarray(0, last), Buffer.alloc(200, 1)]));
  await refusalOf(readAll(new UndoReader(cwd, RUN)));
  writeFileSync(path, Buffer.concat([bytes, Buffer.alloc(100)]));
  expect(await readAll(new UndoReader(cwd, RUN))).toEqual(expected);
  writeFileSync(path, Buffer.concat([bytes, Buffer.alloc(1_500_000), Buffer.of(1)]));
  await refusalOf(readAll(new UndoReader(cwd, RUN)));
});

it("rejects an undo journal with missing, duplicated, reordered or another journal's records", async () => {
  const { cwd, path, bytes } = await written();
  const ends: number[] = [];
  const reader = new UndoReader(cwd, RUN);
  for await (const _ of reader.entries()) ends.push(reader.end.offset);
  const [one = 0, two = 0, three = 0] = ends;
  const head = bytes.subarray(0, one);
  for (const parts of [
    [head, bytes.subarray(two)],
    [head, bytes.subarray(two, three), bytes.subarray(one, two), bytes.subarray(three)],
    [bytes, bytes.subarray(one)],
  ]) {
    writeFileSync(path, Buffer.concat(parts));
    expect(await refusalOf(readAll(new UndoReader(cwd, RUN)))).toMatch(/is damaged/);
  }
  const other = join(cwd, ".dualsync", "undo-ffffffff.journal");
  writeFileSync(other, bytes, { mode: 0o600 });
  await expect(readAll(new UndoReader(cwd, "ffffffff"))).rejects.toThrow(/journal of another run/);
});

it("never crashes on a hostile undo journal, even one with correct checksums", async () => {
  const cwd = workFolder();
  const path = join(cwd, ".dualsync", `undo-${RUN}.journal`);
  await written().then(({ cwd: made }) => renameSync(join(made, ".dualsync"), join(cwd, ".dualsync")));
  const kinds = fc.constantFrom("head" as const, "entries" as const, "mark" as const);
  const frames = fc.array(fc.tuple(kinds, fc.oneof(fc.uint8Array({ maxLength: 60 }), json())), {
    maxLength: 4,
  });
  await fc.assert(
    fc.asyncProperty(fc.oneof(frames, fc.uint8Array({ maxLength: 200 })), async (content) => {
      writeFileSync(path, content instanceof Uint8Array ? content : chained(content));
      const reader = new UndoReader(cwd, RUN);
      await Promise.all([reader.head(), readAll(reader), listJournals(cwd)]).catch((error: unknown) => {
        if (!(error instanceof DualsyncError)) throw error;
      });
    }),
    { numRuns: 300 },
  );
});

function json() {
  return fc
    .oneof(fc.json(), fc.constant(JSON.stringify(HEAD)))
    .map((text) => new Uint8Array(Buffer.from(text)));
}

function chained(content: readonly (readonly ["head" | "entries" | "mark", Uint8Array])[]): Buffer {
  let sum: Uint8Array = SEED;
  const frames = content.map(([kind, payload]) => {
    const frame = encodeFrame(kind, payload, sum);
    sum = frame.subarray(-32);
    return frame;
  });
  return Buffer.concat([START, ...frames]);
}

it("rejects an undo journal of a newer format, a symbolic link, and a file that others can write", async () => {
  const { cwd, path, bytes } = await written();
  writeFileSync(path, bytes.toString("latin1").replace('"format":1', '"format":2'), "latin1");
  expect(await refusalOf(readAll(new UndoReader(cwd, RUN)))).toMatch(
    /newer version of dualsync \(format 2\)/,
  );
  writeFileSync(path, bytes);
  chmodSync(path, 0o622);
  expect(await refusalOf(readAll(new UndoReader(cwd, RUN)))).toMatch(/can be written by other users/);
  symlinkSync(path, join(cwd, ".dualsync", "undo-ffffffff.journal"));
  await expect(readAll(new UndoReader(cwd, "ffffffff"))).rejects.toThrow(/not a regular file/);
});

it("appends to an undo journal whose last record was cut off", async () => {
  const { cwd, path, bytes, expected } = await written(false);
  truncateSync(path, bytes.length - 5);
  const reader = new UndoReader(cwd, RUN);
  await readAll(reader);
  await markJournal(cwd, RUN, reader.end, "undone");
  const again = new UndoReader(cwd, RUN);
  expect(await readAll(again)).toEqual(expected.slice(0, 6));
  expect(again.torn).toBe(false);
  expect(await listJournals(cwd)).toMatchObject([
    { run: RUN, content: { state: { complete: false, undo: "undone" } } },
  ]);
});

it("an undo journal refuses all further saves once its file does not hold what was written", async () => {
  const cwd = workFolder();
  const journal = new UndoJournal(cwd, HEAD);
  await journal.save({ name: "orders" }, [entry(1)]);
  // Somebody puts another file in its place: what is written goes to one that no name leads to.
  const path = join(cwd, ".dualsync", `undo-${RUN}.journal`);
  const bytes = readFileSync(path);
  unlinkSync(path);
  writeFileSync(path, bytes, { mode: 0o600 });
  const unsaved = /does not hold what was just written/;
  await expect(journal.save({ name: "orders" }, [entry(2)])).rejects.toThrow(unsaved);
  await expect(journal.save({ name: "orders" }, [entry(3)])).rejects.toThrow(unsaved);
  await expect(journal.complete()).rejects.toThrow(unsaved);
  await journal.close();
  expect(readFileSync(path)).toEqual(bytes);
});

it("refuses an undo journal in which zeros replace the checksum of a record before the last", async () => {
  const { cwd, path, bytes } = await written();
  const ends: number[] = [];
  const reader = new UndoReader(cwd, RUN);
  for await (const _ of reader.entries()) ends.push(reader.end.offset);
  const [, end = 0] = ends;
  writeFileSync(path, Buffer.from(bytes).fill(0, end - SUM, end));
  expect(await refusalOf(readAll(new UndoReader(cwd, RUN)))).toMatch(/is damaged/);
});
