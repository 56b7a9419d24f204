import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { expect, it } from "vitest";
import { listRuns, openRun } from "../../../../src/connectors/archive/run/list-runs.ts";
import { readManifest, writeManifest } from "../../../../src/connectors/archive/run/manifest.ts";
import { prune } from "../../../../src/connectors/archive/run/prune.ts";
import { beginRun } from "../../../../src/connectors/archive/run/run-sink.ts";
import { Batch } from "../../../../src/model/document.ts";
import * as bson from "../../../bson/bson-bytes.ts";
import { documentOf, hexes, newFolder, numbered, read, SIGNAL } from "../blocks/block-files.ts";
import {
  type Content,
  contentOf,
  filesIn,
  INDEX,
  info,
  options,
  snapshot,
  wanted,
  write,
  writeRun,
} from "./runs.ts";

const NAME = "20261130T031500Z-1a2b3c4d";
const ORDERS: Content = { info: info("orders"), documents: numbered(20, 30) };
const SHUFFLED: Content = {
  info: info("shuffled", { ordered: false }),
  documents: [3, 1, 2, 1].map((id, index) => documentOf(bson.int32(id), index)),
};
const LOG: Content = {
  info: info("log", { kind: "sequence", type: "capped" }),
  documents: numbered(5).reverse(),
};
const PAID: Content = {
  info: info("paid", { kind: "definition", type: "view", options: new Map([["viewOn", "orders"]]) }),
  documents: [],
};
const EMPTY: Content = { info: info("empty"), documents: [] };
const ALL = [ORDERS, SHUFFLED, LOG, PAID, EMPTY];

it.each([false, true])(
  "a run gives back what was written, in its order or that of its ids (gzip: %s)",
  async (gzip) => {
    const folder = join(newFolder(), "not", "there");
    const sink = await beginRun(folder, options({ gzip }));
    for (const content of ALL) await write(sink, content);
    await sink.blueprints?.leave("orders", "create it", SIGNAL);
    const reader = await sink.reopen(SIGNAL);
    expect(await read(reader.read(ORDERS.info, { signal: SIGNAL }))).toEqual(wanted(ORDERS));
    await reader.close();
    expect(await listRuns(folder)).toEqual([]);
    await sink.publish({ verified: true, lacks: [] }, SIGNAL);
    await sink.discard();
    await sink.discard();
    const [a, b, c, d] = SHUFFLED.documents;
    const sorted = [b, d, c, a].flatMap((document) => (document === undefined ? [] : hexes([document])));
    const from = new Date("2026-11-30T03:15:00Z");
    expect(await contentOf(folder)).toMatchObject({
      product: "dualsync 0.1.0",
      origin: {
        run: "1a2b3c4d",
        command: "duplicate",
        source: "localhost/ordersDB",
        from,
        to: from,
        verified: true,
      },
      collections: [
        {
          name: "orders",
          indexes: [INDEX],
          content: wanted(ORDERS),
          documents: 20,
          idsAreUnique: true,
          blueprint: "create it",
        },
        { name: "shuffled", content: sorted, idsAreUnique: undefined },
        { name: "log", kind: "sequence", type: "capped", content: wanted(LOG) },
        { name: "paid", kind: "definition", options: PAID.info.options, indexes: [], content: [] },
        { name: "empty", options: EMPTY.info.options, content: [] },
      ],
    });
    expect(await listRuns(folder)).toMatchObject([
      { name: NAME, run: "1a2b3c4d", since: from, source: "localhost/ordersDB", verified: true },
    ]);
    const packed = gzip ? ".gz" : "";
    expect(filesIn(join(folder, NAME))).toEqual(
      ["empty", "log", "orders", "paid", "shuffled"]
        .flatMap((name) => [`${name}.blocks`, `${name}.bson${packed}`, `${name}.metadata.json${packed}`])
        .filter((name) => !/^paid\.b/.test(name))
        .map((name) => `ordersDB/${name}`)
        .concat("manifest.json")
        .sort(),
    );
  },
);

it("the files are what mongodump writes, and only their owner can read them", async () => {
  const folder = newFolder();
  await writeRun(folder, ALL, { gzip: true });
  const at = (file: string) => join(folder, NAME, "ordersDB", file);
  expect(gunzipSync(readFileSync(at("orders.bson.gz"))).equals(Batch.of(ORDERS.documents).bytes)).toBe(true);
  const metadata = gunzipSync(readFileSync(at("orders.metadata.json.gz"))).toString();
  expect(metadata).toContain('"key":{"b":{"$numberInt":"1"},"1":{"$numberInt":"-1"}}');
  expect(JSON.parse(metadata)).toMatchObject({
    options: { validationLevel: "moderate" },
    indexes: [{ name: "_id_" }, { name: "b_1_1_-1" }],
    uuid: "0d23d56ff3e64007995acb7e775a5bf3",
    collectionName: "orders",
    type: "collection",
  });
  for (const path of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
    const stat = statSync(join(folder, path));
    expect(stat.mode & 0o777).toBe(stat.isDirectory() ? 0o700 : 0o600);
  }
});

it("a collection that was not ended, or whose documents came out of order, is not part of the run", async () => {
  const folder = newFolder();
  const sink = await beginRun(folder, options());
  await write(sink, ORDERS);
  const left = await sink.begin(info("left"), [], SIGNAL);
  await left.write(Batch.of(numbered(3)), SIGNAL);
  const unsorted = await sink.begin(info("unsorted"), [], SIGNAL);
  const out = unsorted.write(Batch.of(numbered(3).reverse()), SIGNAL);
  await expect(out).rejects.toMatchObject({ exit: "source", ofOneCollection: true });
  const spooled = await sink.begin(info("spooled", { ordered: false }), [], SIGNAL);
  await spooled.write(Batch.of(numbered(3)), SIGNAL);
  await sink.publish({ verified: false, lacks: [] }, SIGNAL);
  expect(await contentOf(folder)).toMatchObject({ collections: [{ name: "orders" }] });
  expect(filesIn(join(folder, NAME)).filter((path) => !path.includes("orders."))).toEqual(["manifest.json"]);
  expect(readdirSync(join(folder, NAME)).sort()).toEqual(["manifest.json", "ordersDB"]);
});

it("names of all kinds are names of files inside the folder, and come back", async () => {
  const folder = newFolder();
  const names = [
    "../../up",
    "a/b",
    "A",
    "a",
    ".",
    "..",
    "é\n\u202e",
    "100%",
    "x".repeat(250),
    `${"x".repeat(249)}y`,
  ];
  await writeRun(
    folder,
    names.map((name) => ({ info: info(name), documents: numbered(2) })),
    { database: "../up" },
  );
  expect(readdirSync(folder)).toEqual([NAME]);
  const files = filesIn(join(folder, NAME));
  expect(files).toHaveLength(3 * names.length + 1);
  expect(new Set(files.map((file) => file.toLowerCase())).size).toBe(files.length);
  const opened = await openRun(folder, NAME);
  expect(opened.collections.map((collection) => collection.info.name)).toEqual(names);
  await contentOf(folder);
});

it.each([false, true])("every byte of a run that is flipped is found (gzip: %s)", async (gzip) => {
  const folder = newFolder();
  const small = [
    { info: info("orders"), documents: numbered(3) },
    { info: info("log", { kind: "sequence", type: "capped" }), documents: numbered(2).reverse() },
    PAID,
  ];
  await writeRun(folder, small, { gzip });
  const whole = await contentOf(folder, NAME);
  let refused = 0;
  for (const file of filesIn(folder)) {
    const path = join(folder, file);
    const bytes = readFileSync(path);
    for (let at = 0; at < bytes.length; at++) {
      const flipped = Buffer.from(bytes);
      flipped[at] = (flipped[at] as number) ^ (1 << (at % 8));
      writeFileSync(path, flipped);
      const found = await contentOf(folder, NAME).catch((error: unknown) => error);
      expect(found, `${file} at ${at}`).toMatchObject({ name: "DualsyncError", exit: "local" });
      refused++;
    }
    writeFileSync(path, bytes);
  }
  expect(refused).toBeGreaterThan(1500);
  expect(await contentOf(folder, NAME)).toEqual(whole);
});

it("a file of a run that is cut off at any length, or gone, is found", async () => {
  const folder = newFolder();
  await writeRun(folder, [{ info: info("orders"), documents: numbered(3) }]);
  for (const file of filesIn(folder)) {
    const path = join(folder, file);
    const bytes = readFileSync(path);
    for (let length = bytes.length - 1; length >= 0; length--) {
      truncateSync(path, length);
      await expect(contentOf(folder, NAME)).rejects.toMatchObject({ exit: "local" });
    }
    rmSync(path);
    await expect(contentOf(folder, NAME)).rejects.toMatchObject({ exit: "local" });
    writeFileSync(path, Buffer.concat([bytes, Buffer.of(10)]));
    await expect(contentOf(folder, NAME)).rejects.toMatchObject({ exit: "local" });
    writeFileSync(path, bytes);
  }
  await contentOf(folder, NAME);
});

it("files of two runs that are exchanged are found", async () => {
  const folder = newFolder();
  await writeRun(folder, [ORDERS]);
  await writeRun(folder, [{ ...ORDERS, documents: numbered(20, 31) }], { run: "2b3c4d5e" });
  const other = NAME.replace("1a2b3c4d", "2b3c4d5e");
  for (const file of filesIn(join(folder, NAME, "ordersDB")).filter((name) => !name.includes("metadata"))) {
    const path = join(folder, NAME, "ordersDB", file);
    const bytes = readFileSync(path);
    writeFileSync(path, readFileSync(join(folder, other, "ordersDB", file)));
    await expect(contentOf(folder, NAME)).rejects.toMatchObject({ exit: "local" });
    writeFileSync(path, bytes);
  }
});

it("a run of a newer format, or a foreign one, is refused and listed with the cause", async () => {
  const folder = newFolder();
  await writeRun(folder, [ORDERS]);
  const path = join(folder, NAME, "manifest.json");
  const manifest = readManifest(readFileSync(path));
  const rewrite = (change: object) => {
    writeFileSync(path, writeManifest({ ...manifest, ...change }));
  };
  rewrite({ format: 2 });
  await expect(openRun(folder, NAME)).rejects.toThrow("written by a newer dualsync");
  expect((await listRuns(folder)).map(({ problem }) => problem)).toEqual([
    `${path} was written by a newer dualsync`,
  ]);
  for (const change of [
    { format: 0 },
    { format: "1" },
    { source: "x" },
    { verified: 1 },
    { gzip: undefined },
  ]) {
    rewrite(change);
    await expect(openRun(folder, NAME)).rejects.toMatchObject({ exit: "local" });
  }
  writeFileSync(path, "{}");
  await expect(openRun(folder, NAME)).rejects.toMatchObject({ exit: "local" });
  rewrite({});
  await contentOf(folder, NAME);
});

it("a manifest that names files elsewhere is refused, whatever its checksum", async () => {
  const folder = newFolder();
  await writeRun(folder, [ORDERS]);
  const path = join(folder, NAME, "manifest.json");
  const manifest = readManifest(readFileSync(path));
  const [orders] = manifest.collections;
  if (orders?.data === undefined) throw new Error("There is nothing to change.");
  for (const file of ["../../../etc/passwd", "/etc/passwd", "..", ".", "", "a\0b", "a\\b"]) {
    for (const changed of [
      { ...orders, metadata: { ...orders.metadata, file } },
      { ...orders, data: { ...orders.data, file } },
      { ...orders, data: { ...orders.data, blocks: { ...orders.data.blocks, file } } },
    ]) {
      writeFileSync(path, writeManifest({ ...manifest, collections: [changed] }));
      await expect(openRun(folder, NAME)).rejects.toThrow("names a file outside its folder");
    }
    writeFileSync(path, writeManifest({ ...manifest, database: file }));
    await expect(openRun(folder, NAME)).rejects.toThrow("names a file outside its folder");
  }
});

it("links are not followed, be they files, the database's folder or the run's", async () => {
  const folder = newFolder();
  const elsewhere = newFolder();
  await writeRun(folder, [ORDERS]);
  for (const path of ["", "ordersDB", ...filesIn(join(folder, NAME))].map((file) =>
    join(folder, NAME, file),
  )) {
    const moved = join(elsewhere, "moved");
    renameSync(path, moved);
    symlinkSync(moved, path);
    await expect(contentOf(folder, NAME)).rejects.toMatchObject({ exit: "local" });
    rmSync(path);
    renameSync(moved, path);
  }
  await contentOf(folder, NAME);
  symlinkSync(join(folder, NAME), join(folder, "20261201T000000Z-00000000"));
  expect((await listRuns(folder)).at(-1)?.problem).toContain("links are not followed");
});

it("a run that is discarded leaves nothing, and the earlier ones as they were", async () => {
  const folder = newFolder();
  await writeRun(folder, [ORDERS]);
  const before = snapshot(folder);
  const sink = await beginRun(folder, options({ run: "2b3c4d5e" }));
  await write(sink, SHUFFLED);
  const open = await sink.begin(info("more", { ordered: false }), [], SIGNAL);
  await open.write(Batch.of(numbered(3)), SIGNAL);
  await sink.discard();
  await sink.discard();
  expect(snapshot(folder)).toEqual(before);
  expect(readdirSync(folder)).toEqual([NAME]);
});

it("what a killed run left is removed a day after its last write, and nothing else", async () => {
  const folder = newFolder();
  const old = join(folder, "20261129T031500Z-00000000.partial");
  const fresh = join(folder, "20261129T031500Z-11111111.partial");
  const foreign = ["notes.partial", "20261129T031500Z-00000000", "2026.partial"].map((name) =>
    join(folder, name),
  );
  const now = new Date();
  const before = new Date(now.getTime() - 25 * 3_600_000);
  for (const path of [old, fresh, ...foreign]) {
    mkdirSync(join(path, "db"), { recursive: true });
    writeFileSync(join(path, "db", "file"), "");
    for (const part of ["db/file", "db", ""]) utimesSync(join(path, part), before, before);
  }
  utimesSync(join(fresh, "db", "file"), now, now);
  const sink = await beginRun(folder, options({ now: () => now }));
  await sink.discard();
  expect(existsSync(old)).toBe(false);
  for (const path of [fresh, ...foreign]) expect(existsSync(path)).toBe(true);
});

it("only whole runs of the same source are pruned, the oldest first, and the newest verified one never", async () => {
  const folder = newFolder();
  const run = (day: number, more = {}) => ({
    run: `0000000${day}`,
    now: () => new Date(`2026-11-0${day}T00:00:00Z`),
    ...more,
  });
  const other = { source: { label: "another", kind: "mongodb", product: "" } };
  await writeRun(folder, [], run(1));
  await writeRun(folder, [ORDERS], run(2));
  await writeRun(folder, [], run(3, other));
  await writeRun(folder, [ORDERS], run(4));
  for (const day of [5, 6]) {
    const sink = await beginRun(folder, options(run(day)));
    await sink.publish({ verified: false, lacks: [] }, SIGNAL);
  }
  await writeRun(folder, [], run(7));
  const [damaged] = readdirSync(folder).filter((name) => name.includes("1107"));
  writeFileSync(join(folder, damaged as string, "manifest.json"), "{}");
  writeFileSync(join(folder, "notes.txt"), "mine");
  const done = { run: "00000006", source: "localhost/ordersDB" };
  const removed = await prune(folder, 2, done);
  expect(removed.map(({ run }) => run)).toEqual(["00000001", "00000002"]);
  const left = ["20261103T", "20261104T", "20261105T", "20261106T", "20261107T", "notes.txt"];
  expect(readdirSync(folder).map((name) => name.slice(0, 9))).toEqual(left);
  expect(await prune(folder, 2, done)).toEqual([]);
  // One that is later than what was just written, by a wrong clock, pushes nothing out.
  expect(await prune(folder, 1, { ...done, run: "00000004" })).toEqual([]);
  await expect(prune(folder, 0, done)).rejects.toThrow();
});

it("a run tells what its source had that it does not hold, or not all of", async () => {
  const folder = newFolder();
  const lacks = [
    { name: "users", reason: "left out" },
    { name: "carts", reason: "it could not be read", isLoss: true as const },
  ];
  const partial = "one was passed over";
  await writeRun(folder, [ORDERS, { ...EMPTY, partial }], { lacks });
  const [run] = await listRuns(folder);
  expect(run).toMatchObject({
    holds: new Map([
      ["orders", 20],
      ["empty", 0],
    ]),
    partial: new Set(["empty"]),
    lacks,
  });
  const { notCopied, collections } = await openRun(folder, NAME);
  expect(notCopied).toEqual([
    { name: "users", reason: "the archive lacks it: left out" },
    { name: "carts", reason: "the archive lacks it: it could not be read", isLoss: true },
  ]);
  expect(collections.map(({ info }) => info.partial)).toEqual([
    undefined,
    "the archive does not hold all of it: one was passed over",
  ]);
});

it.each([
  ["whole ones by whole ones", [[], [], []], ["00000001"]],
  ["one of all never by ones of a part", [[], ["orders"], ["orders"], ["orders"]], ["00000002"]],
  ["one of a part by ones of all", [["orders"], [], []], ["00000001"]],
  ["none where what it holds was lost since", [[], ["orders"], []], []],
  ["one although the source has more by now that is left out", [[], ["later"], ["later"]], ["00000001"]],
  ["none where a part of what it holds was lost since", [["part of log"], ["log"], ["log"]], []],
  ["one where a part is held of what it holds in part", [["part of log"], ["part of log"], []], ["00000001"]],
  ["none where only parts are held of what it holds", [[], ["part of log"], ["part of log"]], []],
] as const)("of runs that are pruned there stay enough of each collection: %s", async (_, all, gone) => {
  const folder = newFolder();
  for (const [index, names] of all.entries()) {
    const isNamed = (wanted: string): boolean => names.some((name) => name === wanted);
    const lacks = names.filter((name) => !name.startsWith("part")).map((name) => ({ name, reason: "" }));
    const log = isNamed("part of log") ? { ...LOG, partial: "some" } : LOG;
    const contents = [...(isNamed("orders") ? [] : [ORDERS]), ...(isNamed("log") ? [] : [log])];
    const now = () => new Date(`2026-11-0${index + 1}T00:00:00Z`);
    await writeRun(folder, contents, { run: `0000000${index + 1}`, now, lacks });
  }
  const done = { run: `0000000${all.length}`, source: "localhost/ordersDB" };
  const removed = await prune(folder, 2, done);
  expect(removed.map(({ run }) => run)).toEqual(gone);
});

it("there are no runs where there is no folder, and an error where it cannot be read", async () => {
  const folder = newFolder();
  expect(await listRuns(join(folder, "none"))).toEqual([]);
  writeFileSync(join(folder, "file"), "");
  expect(await listRuns(join(folder, "file"))).toEqual([]);
  await expect(beginRun(join(folder, "file"), options())).rejects.toMatchObject({ exit: "local" });
  if (process.getuid?.() === 0) return;
  chmodSync(folder, 0);
  await expect(listRuns(folder)).rejects.toMatchObject({ exit: "local" });
  chmodSync(folder, 0o700);
});
