/**
 * `manifest.json`: what a run holds, and what proves that it is undamaged. Its last member is SHA-256 of all that stands before it.
 * Nobody has a key to it: it proves that nothing was damaged, not that nothing was forged.
 */
import type { CollectionKind, NotCopied } from "../../../model/collection.ts";
import type { NotReproduced } from "../../write-outcome.ts";
import { sha256 } from "../blocks/block-list.ts";

export const MANIFEST = "manifest.json";
/** Runs of a later format are not read. */
export const FORMAT = 1;

export interface Manifest {
  readonly dualsync: string;
  readonly run: string;
  readonly command: string;
  readonly source: RunSource;
  /** The documents were read in this time. */
  readonly from: Date;
  readonly to: Date;
  readonly verified: boolean;
  /** The folder of the files. */
  readonly database: string;
  readonly gzip: boolean;
  readonly collections: readonly ManifestCollection[];
  /** What the source had, and the run has not. */
  readonly lacks: readonly NotCopied[];
}

export interface RunSource {
  readonly label: string;
  readonly kind: string;
  readonly product: string;
}

export interface ManifestCollection {
  readonly name: string;
  readonly type: string;
  readonly kind: CollectionKind;
  /** The source's. */
  readonly uid?: string | undefined;
  /** Of a collection: its documents lie in the order of their ids. Of a sequence: the source keeps its order. */
  readonly ordered: boolean;
  readonly idsAreUnique: boolean;
  readonly documents: number;
  /** Of the documents. */
  readonly bytes: number;
  /** BSON: `options` and `indexes`. */
  readonly definition: Uint8Array;
  /** See `CollectionInfo`. */
  readonly partial?: string | undefined;
  readonly doubts: readonly NotReproduced[];
  readonly blueprint?: string | undefined;
  readonly metadata: NotedFile;
  /** None where there are no documents but only a definition. */
  readonly data?: { readonly file: string; readonly blocks: NotedFile } | undefined;
}

export interface NotedFile {
  readonly file: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** A text for a sentence that begins with the file. */
export class BadManifest extends Error {}

const TAIL = /,\n"sha256": "([0-9a-f]{64})"\n\}\n$/;
const TAIL_BYTES = ',\n"sha256": ""\n}\n'.length + 64;

export function writeManifest(manifest: Manifest): Buffer {
  const { from, to, collections, ...rest } = manifest;
  const content = {
    format: FORMAT,
    ...rest,
    from: from.toISOString(),
    to: to.toISOString(),
    collections: collections.map((collection) => ({
      ...collection,
      definition: Buffer.from(collection.definition).toString("base64"),
    })),
  };
  const head = JSON.stringify(content, undefined, 1).slice(0, -2);
  return Buffer.from(`${head},\n"sha256": "${sha256(Buffer.from(head)).toString("hex")}"\n}\n`);
}

/** @throws BadManifest */
export function readManifest(bytes: Buffer): Manifest {
  const body = bytes.subarray(0, Math.max(0, bytes.length - TAIL_BYTES));
  const [, stated] = TAIL.exec(bytes.subarray(body.length).toString("latin1")) ?? [];
  if (stated !== sha256(body).toString("hex")) throw new BadManifest("is damaged: its checksum is wrong");
  const content = parsed(body);
  if (typeof content.format === "number" && content.format > FORMAT)
    throw new BadManifest("was written by a newer dualsync");
  try {
    return manifestOf(content);
  } catch (error) {
    if (error instanceof TypeError) throw new BadManifest("is not what dualsync writes");
    throw error;
  }
}

function parsed(body: Buffer): Members {
  try {
    return members(JSON.parse(`${body.toString()}}`));
  } catch {
    throw new BadManifest("is not what dualsync writes");
  }
}

type Members = Readonly<Record<string, unknown>>;

function manifestOf(content: Members): Manifest {
  if (content.format !== FORMAT) throw new TypeError("format");
  const source = members(content.source);
  return {
    dualsync: text(content.dualsync),
    run: text(content.run),
    command: text(content.command),
    source: { label: text(source.label), kind: text(source.kind), product: text(source.product) },
    from: date(content.from),
    to: date(content.to),
    verified: flag(content.verified),
    database: fileName(content.database),
    gzip: flag(content.gzip),
    collections: list(content.collections).map(collectionOf),
    lacks: list(content.lacks).map(lackOf),
  };
}

function collectionOf(value: unknown): ManifestCollection {
  const content = members(value);
  const kind = kindOf(content.kind);
  return {
    name: text(content.name),
    type: text(content.type),
    kind,
    uid: optional(content.uid, text),
    ordered: flag(content.ordered),
    idsAreUnique: flag(content.idsAreUnique),
    documents: count(content.documents),
    bytes: count(content.bytes),
    definition: Buffer.from(text(content.definition), "base64"),
    partial: optional(content.partial, text),
    doubts: list(content.doubts).map(doubtOf),
    blueprint: optional(content.blueprint, text),
    metadata: notedFile(content.metadata),
    data: kind === "definition" ? undefined : dataOf(content.data),
  };
}

function doubtOf(value: unknown): NotReproduced {
  const { key, reason } = members(value);
  return { key: text(key), reason: text(reason) };
}

function lackOf(value: unknown): NotCopied {
  const { name, reason, isLoss } = members(value);
  const lack = { name: text(name), reason: text(reason) };
  return optional(isLoss, flag) === true ? { ...lack, isLoss: true } : lack;
}

function dataOf(value: unknown): ManifestCollection["data"] {
  const content = members(value);
  return { file: fileName(content.file), blocks: notedFile(content.blocks) };
}

function notedFile(value: unknown): NotedFile {
  const content = members(value);
  return { file: fileName(content.file), bytes: count(content.bytes), sha256: text(content.sha256) };
}

/** The name of something that lies in its folder itself. */
function fileName(value: unknown): string {
  const name = text(value);
  if (!isFileName(name)) throw new BadManifest("names a file outside its folder");
  return name;
}

export function isFileName(name: string): boolean {
  return name !== "" && name !== "." && name !== ".." && !/[/\\\0]/.test(name);
}

function kindOf(value: unknown): CollectionKind {
  if (value !== "collection" && value !== "sequence" && value !== "definition") throw new TypeError("kind");
  return value;
}

function members(value: unknown): Members {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new TypeError("members");
  return value as Members;
}

function list(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw new TypeError("list");
  return value;
}

function text(value: unknown): string {
  if (typeof value !== "string") throw new TypeError("text");
  return value;
}

function optional<T>(value: unknown, read: (value: unknown) => T): T | undefined {
  return value === undefined ? undefined : read(value);
}

function flag(value: unknown): boolean {
  if (typeof value !== "boolean") throw new TypeError("flag");
  return value;
}

function count(value: unknown): number {
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0) throw new TypeError("count");
  return value;
}

function date(value: unknown): Date {
  const found = new Date(text(value));
  if (Number.isNaN(found.getTime())) throw new TypeError("date");
  return found;
}
