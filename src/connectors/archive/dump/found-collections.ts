/** From what lies in a dump to the collections that can be read of it, whatever form the dump has. */
import type { NotCopied } from "../../../model/collection.ts";
import type { CollectionInfo, Metadata } from "../../collection.ts";
import { isControlName } from "../../control/control-name.ts";
import type { CollectionMetadata } from "../metadata-json.ts";
import { definitionOf } from "./definition.ts";
import { DumpCollection, type DumpDocuments, type TemporaryFolder } from "./dump-collection.ts";

export const PROOF =
  "A dump by mongodump has no checksums of its documents, or few: only its structure was checked, from beginning to end. A value that was altered would not be seen.";

/** Before the name of a time-series: the collection in which servers before MongoDB 9 keep it. */
export const BUCKETS = "system.buckets.";

const NO_METADATA: CollectionMetadata = {
  name: undefined,
  type: undefined,
  uuid: undefined,
  options: new Map(),
  indexes: [],
};

/** A collection as it lies in a dump. */
export interface FoundCollection {
  readonly name: string;
  /** A text: why it could not be read, as a clause. */
  readonly metadata: CollectionMetadata | string | undefined;
  /** Reads all of it once; absent where there is no data. */
  readonly survey?: (() => Promise<SurveyedDocuments>) | undefined;
}

export interface SurveyedDocuments extends DumpDocuments {
  readonly isAscending: boolean;
}

export interface ReadableCollections {
  readonly collections: readonly DumpCollection[];
  readonly notCopied: readonly NotCopied[];
}

export async function readableCollections(
  found: readonly FoundCollection[],
  others: readonly NotCopied[],
  folder: TemporaryFolder,
): Promise<ReadableCollections> {
  const collections: DumpCollection[] = [];
  const notCopied = [...others];
  const timeseries = new Set(found.filter(isTimeseries).map(({ name }) => BUCKETS + name));
  for (const one of found) {
    const { name } = one;
    if (isControlName(name) || name === "system.views" || timeseries.has(name)) continue;
    const reason = problemOf(one);
    if (reason !== undefined) notCopied.push({ name, ...reason });
    else collections.push(await readable(one, folder));
  }
  const byName = (a: { name: string }, b: { name: string }) => (a.name < b.name ? -1 : 1);
  collections.sort((a, b) => byName(a.info, b.info));
  return { collections, notCopied: notCopied.sort(byName) };
}

function isTimeseries({ name, metadata }: FoundCollection): boolean {
  return typeof metadata === "object" && definitionOf(name, metadata).type === "timeseries";
}

function problemOf(found: FoundCollection): Omit<NotCopied, "name"> | undefined {
  const { name, metadata, survey } = found;
  if (name === "" || name.includes("\0")) return { reason: "no collection can have this name", isLoss: true };
  if (isTimeseries(found) || name.startsWith(BUCKETS)) {
    const reason = "a dump holds a time-series as the server's own buckets: restore it with mongorestore";
    return { reason, isLoss: true };
  }
  if (name.startsWith("$admin.") || /^system\.(?:users|roles|version)$/.test(name))
    return { reason: "users and roles are not copied" };
  if (name.startsWith("system.")) return { reason: "system collections belong to the server" };
  const isView = typeof metadata === "object" && definitionOf(name, metadata).type === "view";
  if (isView && typeof (metadata as CollectionMetadata).options.get("viewOn") !== "string")
    return { reason: "its metadata does not say what it is a view on", isLoss: true };
  if (isView || survey !== undefined) return undefined;
  return { reason: "the dump has its metadata, and not its data", isLoss: true };
}

async function readable(
  { name, metadata, survey }: FoundCollection,
  folder: TemporaryFolder,
): Promise<DumpCollection> {
  const said = typeof metadata === "object" ? metadata : NO_METADATA;
  const { type, kind, options, indexes, altered } = definitionOf(name, said);
  const data = kind === "definition" ? undefined : await survey?.();
  const isPlain = hasSimpleOrder(options);
  const isAscending = data?.isAscending === true;
  const info: CollectionInfo = {
    name,
    kind,
    type,
    uid: said.uuid,
    options,
    ordered: kind === "sequence" || (isPlain && (kind === "definition" || isAscending)),
    ...(kind === "collection" && isAscending ? { idsAreUnique: true as const } : {}),
    documents: data?.documents ?? 0,
    bytes: data?.bytes ?? 0,
  };
  const unsaid = typeof metadata === "object" ? [] : [withoutDefinition(name, metadata)];
  return new DumpCollection({ info, indexes, altered: [...unsaid, ...altered], data, folder });
}

function withoutDefinition(name: string, problem: string | undefined) {
  const reason = problem ?? "the dump has no metadata of it";
  return { key: `metadata ${name}`, reason: `${reason}: it is created without options and indexes` };
}

function hasSimpleOrder(options: Metadata): boolean {
  const collation = options.get("collation");
  return !(collation instanceof Map) || collation.get("locale") === "simple";
}
