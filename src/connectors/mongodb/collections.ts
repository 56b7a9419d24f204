import type { Document } from "mongodb";
import { equalOrdered } from "../../bson/ordered.ts";
import { DualsyncError } from "../../errors.ts";
import type {
  CollectionInfo,
  CollectionKind,
  Listing,
  Metadata,
  NotCopied,
  NotReproduced,
} from "../connector.ts";
import { retry } from "../retry.ts";
import { countDocuments } from "./count.ts";
import { codeText, isFull, isTransient, shapeOf } from "./faults.ts";
import { readListing } from "./listing.ts";
import type { Server } from "./server.ts";

/** The collection in which dualsync keeps its lease and history, in the target itself. Never copied or compared. */
export const OWN_COLLECTION = "_dualsync";

/** Before the name of a time-series: the collection in which a server keeps it. */
const BUCKETS = "system.buckets.";

/** Options without which a collection would be another kind of thing; the others may be named as a loss. */
const ESSENTIAL = new Set([
  "capped",
  "size",
  "timeseries",
  "clusteredIndex",
  "collation",
  "viewOn",
  "pipeline",
]);

/** A right that this user lacks, or a command that this server or plan has not. */
const REFUSALS = new Set([13, 59, 115, 8000]);

/** What the server's bookkeeping holds about a collection's size. After a crash it may be wrong, so "empty" is counted. */
async function sizeOf(
  server: Server,
  name: string,
  signal: AbortSignal,
): Promise<{ documents: number; bytes: number }> {
  const answer = await collStats(server, name, signal);
  const bucketed = answer.timeseries as { numMeasurements?: unknown } | undefined;
  const documents = Number(bucketed?.numMeasurements ?? answer.count ?? 0);
  return {
    documents: documents > 0 ? documents : await countDocuments(server, name, {}, signal),
    bytes: Number(answer.size ?? 0),
  };
}

/** Empty where it is refused: the size only decides how the work is divided, and what the plan shows. */
async function collStats(server: Server, name: string, signal: AbortSignal): Promise<Document> {
  try {
    return await server.run({ collStats: name }, { signal, doing: `read the size of ${name}` });
  } catch (error) {
    const { code } = shapeOf(error instanceof DualsyncError ? error.cause : error);
    if (signal.aborted || code === undefined || !REFUSALS.has(code)) throw error;
    return {};
  }
}

/** Bytes of the whole database as hosted clusters count them: documents uncompressed, and indexes. */
export async function sizeOfDatabase(server: Server, signal: AbortSignal): Promise<number> {
  const answer = await server.run({ dbStats: 1 }, { signal, doing: "read the size of the database" });
  return Number(answer.dataSize ?? 0) + Number(answer.indexSize ?? 0);
}

/** Everything in the database, sorted by name: what can be copied, and what cannot, with the reason. */
export async function listCollections(server: Server, signal: AbortSignal): Promise<Listing> {
  const found = await readListing(server, { listCollections: 1, cursor: {} }, "", signal);
  if (!found.every(isNamed))
    throw server.fault(new RangeError("a collection has no name that MongoDB allows"), "list collections");
  const wanted = withBuckets(found).filter((entry) => !isBehindTheScenes(nameOf(entry)));
  const [system, ordinary] = [true, false].map((of) =>
    wanted.filter((entry) => nameOf(entry).startsWith("system.") === of),
  );
  const reason = "system collections belong to the server and are not copied";
  const notCopied: NotCopied[] = (system ?? []).map((entry) => ({ name: nameOf(entry), reason }));
  const collections = await Promise.all(
    (ordinary ?? []).map((entry) => describe(server, nameOf(entry), entry, signal)),
  );
  const byName = (a: { name: string }, b: { name: string }): number => (a.name < b.name ? -1 : 1);
  return { collections: collections.sort(byName), notCopied: notCopied.sort(byName) };
}

/** MongoDB allows 255 bytes for database and collection together; some services a little more. */
const LONGEST_NAME = 1_000;

function isNamed(entry: Metadata): boolean {
  const name = entry.get("name");
  return typeof name === "string" && name !== "" && name.length <= LONGEST_NAME;
}

function nameOf(entry: Metadata): string {
  return String(entry.get("name"));
}

/** dualsync's own, and those in which the server keeps what it shows as views and time-series. */
function isBehindTheScenes(name: string): boolean {
  return name === OWN_COLLECTION || name === "system.views" || name.startsWith(BUCKETS);
}

/** Before MongoDB 9 a time-series is shown as a view on its buckets, and only these have an id: it counts for both. */
function withBuckets(found: readonly Metadata[]): Metadata[] {
  const byName = new Map(found.map((entry) => [nameOf(entry), entry]));
  return found.map((entry) => {
    const buckets = entry.get("type") === "timeseries" ? byName.get(BUCKETS + nameOf(entry)) : undefined;
    return buckets === undefined ? entry : new Map(entry).set("info", buckets.get("info"));
  });
}

async function describe(
  server: Server,
  name: string,
  entry: Metadata,
  signal: AbortSignal,
): Promise<CollectionInfo> {
  const options = (entry.get("options") as Metadata | undefined) ?? new Map();
  const kind = kindOf(entry.get("type"), options);
  const size = kind === "view" ? { documents: 0, bytes: 0 } : await sizeOf(server, name, signal);
  const incarnation = incarnationOf(entry);
  return {
    name,
    kind,
    ...(incarnation === undefined ? {} : { incarnation }),
    options: withoutVersions(options),
    ordered: isOrdered(options),
    ...size,
  };
}

function kindOf(type: unknown, options: Metadata): CollectionKind {
  if (type === "view" || type === "timeseries") return type;
  return options.get("capped") === true ? "capped" : "collection";
}

function isOrdered(options: Metadata): boolean {
  const collation = options.get("collation");
  return !(collation instanceof Map) || collation.get("locale") === "simple";
}

/** A collation's `version` says which library the server was built with; another server refuses to be told it. */
export function withoutVersions(options: Metadata): Metadata {
  const collation = options.get("collation");
  if (!(collation instanceof Map)) return options;
  const plain = new Map(collation);
  plain.delete("version");
  return new Map(options).set("collation", plain);
}

/** The same collection without what could refuse its documents; the very same object when there is nothing like that. */
export function withoutValidator(info: CollectionInfo): CollectionInfo {
  if (!info.options.has("validator")) return info;
  const options = new Map(info.options);
  for (const name of ["validator", "validationLevel", "validationAction"]) options.delete(name);
  return { ...info, options };
}

/** The id that the server gave a collection when it was created. */
export function incarnationOf(entry: Metadata | undefined): string | undefined {
  const info = entry?.get("info");
  const uuid = info instanceof Map ? info.get("uuid") : undefined;
  return uuid === undefined ? undefined : String(uuid);
}

/** The collection of this name as the server lists it now; undefined when there is none. */
export async function lookUp(
  server: Server,
  name: string,
  signal: AbortSignal,
): Promise<Metadata | undefined> {
  const filter = { name: { $in: [name, BUCKETS + name] } };
  const found = await readListing(server, { listCollections: 1, filter, cursor: {} }, "", signal);
  return withBuckets(found).find((entry) => nameOf(entry) === name);
}

/**
 * Creates the collection with all its options; what this server does not take is left out, one option after the
 * other, and named.
 */
export async function createCollection(
  server: Server,
  info: CollectionInfo,
  signal: AbortSignal,
): Promise<NotReproduced[]> {
  const options = new Map(info.options);
  const lost: NotReproduced[] = [];
  for (;;) {
    try {
      await tryToCreate(server, info.name, options, signal);
      return lost;
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      if (shapeOf(error).code === 48) return lost; // an earlier try, whose answer was lost, has created it
      const culprit = isTransient(error) ? undefined : optionToDrop(options, shapeOf(error).message);
      if (culprit === undefined) throw unsupported(info, error) ?? server.fault(error, `create ${info.name}`);
      options.delete(culprit);
      lost.push({
        key: `option ${info.name}/${culprit}`,
        reason: `the target's server does not take this option (${codeText(shapeOf(error))})`,
      });
    }
  }
}

/** Throws the driver's own error. A second try finds what the first one, its answer lost, has created. */
async function tryToCreate(
  server: Server,
  name: string,
  options: ReadonlyMap<string, unknown>,
  signal: AbortSignal,
): Promise<void> {
  const command = { create: name, ...Object.fromEntries(options), writeConcern: { w: "majority" } };
  await retry(server.policy, signal, isTransient, () =>
    server.run(command, { signal, doing: `create ${name}`, retry: false }),
  );
}

/** Codes with which a server says that it does not know this kind of collection. */
const UNKNOWN_KIND = new Set([2, 9, 72, 238, 40415]);

/** A server that is too old for a kind of collection is no reason to copy nothing else. */
function unsupported(info: CollectionInfo, error: unknown): DualsyncError | undefined {
  const shape = shapeOf(error);
  if (shape.code === undefined || !UNKNOWN_KIND.has(shape.code)) return undefined;
  const kind = info.kind === "collection" ? "collection with these options" : `${info.kind} collection`;
  return new DualsyncError(
    "set-aside",
    `the target's server cannot create a ${kind} (${codeText(shape)}); is it too old?`,
    { cause: error },
  );
}

/** The option that the server's message names, else any that can be done without. */
function optionToDrop(options: ReadonlyMap<string, unknown>, message: string): string | undefined {
  const dispensable = [...options.keys()].filter((name) => !ESSENTIAL.has(name));
  return dispensable.find((name) => message.includes(name)) ?? dispensable.at(-1);
}

/** Options in which the existing collection differs from the wanted one; mended where the server lets us. */
export async function alignOptions(
  server: Server,
  info: CollectionInfo,
  existing: Metadata,
  signal: AbortSignal,
): Promise<NotReproduced[]> {
  const have = withoutVersions((existing.get("options") as Metadata | undefined) ?? new Map());
  const names = new Set([...info.options.keys(), ...have.keys()]);
  const same = (name: string): boolean =>
    info.options.has(name) &&
    have.has(name) &&
    equalOrdered(new Map([["", info.options.get(name)]]), new Map([["", have.get(name)]]));
  const different = [...names].filter((name) => !same(name));
  const lost: NotReproduced[] = [];
  for (const name of different) {
    const reason = await modify(server, info, name, signal);
    if (reason !== undefined) lost.push({ key: `option ${info.name}/${name}`, reason });
  }
  return lost;
}

const MODIFIABLE = new Set([
  "validator",
  "validationLevel",
  "validationAction",
  "expireAfterSeconds",
  "changeStreamPreAndPostImages",
]);
const OFF: ReadonlyMap<string, unknown> = new Map<string, unknown>([
  ["validator", {}],
  ["validationLevel", "strict"],
  ["validationAction", "error"],
  ["expireAfterSeconds", "off"],
  ["changeStreamPreAndPostImages", { enabled: false }],
]);

async function modify(
  server: Server,
  info: CollectionInfo,
  name: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (!MODIFIABLE.has(name))
    return "the target's collection was created with another value, which cannot be changed";
  try {
    const value = info.options.get(name) ?? OFF.get(name);
    const command = { collMod: info.name, [name]: value, writeConcern: { w: "majority" } };
    await retry(server.policy, signal, isTransient, () =>
      server.run(command, { signal, doing: `change ${name}`, retry: false }),
    );
    return undefined;
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    if (isTransient(error) || isFull(error))
      throw server.fault(error, `change the option ${name} of ${info.name}`);
    return `the target's collection has another value and it could not be changed (${codeText(shapeOf(error))})`;
  }
}
