import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { Int32 } from "bson";
import { listRuns, openRun } from "../../../../src/connectors/archive/run/list-runs.ts";
import { type ArchiveRunOptions, beginRun } from "../../../../src/connectors/archive/run/run-sink.ts";
import type { CollectionInfo, Metadata } from "../../../../src/connectors/collection.ts";
import type { Published, Sink } from "../../../../src/connectors/contract.ts";
import { Batch, type Doc } from "../../../../src/model/document.ts";
import { hexes, read, SIGNAL } from "../blocks/block-files.ts";

export function info(name: string, more: Partial<CollectionInfo> = {}): CollectionInfo {
  return {
    name,
    kind: "collection",
    type: "collection",
    uid: "0d23d56f-f3e6-4007-995a-cb7e775a5bf3",
    options: new Map<string, unknown>([["validationLevel", "moderate"]]),
    ordered: true,
    documents: 0,
    bytes: 0,
    ...more,
  };
}

export const INDEX: Metadata = new Map<string, unknown>([
  ["v", new Int32(2)],
  [
    "key",
    new Map([
      ["b", new Int32(1)],
      ["1", new Int32(-1)],
    ]),
  ],
  ["name", "b_1_1_-1"],
]);

export function options(more: Partial<ArchiveRunOptions> = {}): ArchiveRunOptions {
  return {
    run: "1a2b3c4d",
    command: "duplicate",
    source: { label: "localhost/ordersDB", kind: "mongodb", product: "MongoDB 8.0.4" },
    database: "ordersDB",
    gzip: false,
    version: "0.1.0",
    now: () => new Date("2026-11-30T03:15:00Z"),
    ...more,
  };
}

export interface Content {
  readonly info: CollectionInfo;
  readonly documents: readonly Doc[];
  /** Why these are not all of them. */
  readonly partial?: string;
}

export async function write(sink: Sink, { info, documents, partial }: Content): Promise<void> {
  const into = await sink.begin(info, info.kind === "definition" ? [] : [INDEX], SIGNAL);
  for (let at = 0; at < documents.length; at += 7)
    await into.write(Batch.of(documents.slice(at, at + 7)), SIGNAL);
  await into.end({ partial, doubts: [] }, SIGNAL);
}

export async function writeRun(
  folder: string,
  contents: readonly Content[],
  { lacks = [], ...more }: Partial<ArchiveRunOptions & Published> = {},
): Promise<void> {
  const sink = await beginRun(folder, options(more));
  for (const content of contents) await write(sink, content);
  await sink.publish({ verified: true, lacks }, SIGNAL);
  await sink.discard();
}

/** Everything that a run gives: collections with their definitions and their documents. Checks all of it. */
export async function contentOf(folder: string, name?: string): Promise<unknown> {
  const run = name ?? (await listRuns(folder)).at(-1)?.name ?? "";
  const opened = await openRun(folder, run);
  const collections = [];
  for (const collection of opened.collections) {
    await collection.check(SIGNAL);
    const { name, kind, type, options, documents, bytes, idsAreUnique } = collection.info;
    collections.push({
      ...{ name, kind, type, options, documents, bytes, idsAreUnique },
      indexes: collection.indexes,
      blueprint: collection.blueprint,
      content: await read(collection.read({ signal: SIGNAL })),
    });
  }
  await opened.close();
  return { product: opened.product, origin: opened.origin, collections };
}

export function wanted({ documents }: Content): string[] {
  return hexes(documents);
}

/** Paths of all files, from the folder on. */
export function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((path) => statSync(join(folder, path)).isFile())
    .sort();
}

/** Everything that lies in a folder. */
export function snapshot(folder: string): ReadonlyMap<string, string> {
  return new Map(filesIn(folder).map((path) => [path, readFileSync(join(folder, path)).toString("hex")]));
}
