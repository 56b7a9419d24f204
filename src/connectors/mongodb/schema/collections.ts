import type { CollectionKind, NotCopied } from "../../../model/collection.ts";
import { DualsyncError } from "../../../model/errors.ts";
import type { CollectionInfo, Listing, Metadata } from "../../collection.ts";
import { CONTROL_NAME, isControlName } from "../../control/control-name.ts";
import { Batcher } from "../../wrappers/batcher.ts";
import { retry } from "../../wrappers/retry.ts";
import type { NotReproduced } from "../../write-outcome.ts";
import type { Server } from "../connection/server.ts";
import { codeText, isTransient, shapeOf } from "../failures/faults.ts";
import { readListing } from "../reading/listing.ts";
import { sizeOf } from "./sizes.ts";

/** The collection in which dualsync keeps its lease and history, in the target itself. */
export const CONTROL_COLLECTION = CONTROL_NAME;

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

/** Everything in the database, sorted by name: what can be copied, and what cannot, with the reason. */
export async function listCollections(server: Server, signal: AbortSignal): Promise<Listing> {
  const found = await readListing(server, { listCollections: 1, cursor: {} }, "", signal);
  if (!found.every(isNamed))
    throw server.fault(new RangeError("a collection has no name that MongoDB allows"), "list collections");
  const wanted = withBuckets(found).filter((entry) => !isBehindTheScenes(nameOf(entry)));
  const [system, ordinary] = [true, false].map((of) =>
    wanted.filter((entry) => nameOf(entry).startsWith("system.") === of),
  );
  const reason = "system collections belong to the server";
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
  return isControlName(name) || name === "system.views" || name.startsWith(BUCKETS);
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
  const type = typeOf(entry.get("type"), options);
  const kind = KINDS[type];
  const size = kind === "definition" ? { documents: 0, bytes: 0 } : await sizeOf(server, name, signal);
  const uid = uidOf(entry);
  return {
    name,
    kind,
    type,
    uid,
    options: withoutVersions(options),
    // A server may hand measurements out in another order than they came in; documents of a capped collection never.
    ordered: kind === "sequence" ? type === "capped" : isOrdered(options),
    // Shards do not know of each other's documents.
    ...(kind === "collection" && !server.hello.router ? { idsAreUnique: true as const } : {}),
    ...size,
  };
}

type CollectionType = "collection" | "capped" | "timeseries" | "view";

/** Capped and time-series collections have no unique `_id` to distinguish documents by. */
const KINDS: Readonly<Record<CollectionType, CollectionKind>> = {
  collection: "collection",
  capped: "sequence",
  timeseries: "sequence",
  view: "definition",
};

function typeOf(type: unknown, options: Metadata): CollectionType {
  if (type === "view" || type === "timeseries") return type;
  return options.get("capped") === true ? "capped" : "collection";
}

function isOrdered(options: Metadata): boolean {
  const collation = options.get("collation");
  return !(collation instanceof Map) || collation.get("locale") === "simple";
}

/** A collation's `version` says which library the server was built with; another server rejects it. */
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
export function uidOf(entry: Metadata | undefined): string | undefined {
  const info = entry?.get("info");
  const uuid = info instanceof Map ? info.get("uuid") : undefined;
  return uuid === undefined ? undefined : String(uuid);
}

/** The collection of this name as the server lists it now; undefined when there is none. */
export type LookUp = (name: string, signal: AbortSignal) => Promise<Metadata | undefined>;

/** Collections that are looked up at about the same time are listed together. */
export function lookUps(server: Server): LookUp {
  const always = new AbortController().signal;
  const batcher = new Batcher<string, Metadata | undefined>(async (names) => {
    const filter = { name: { $in: names.flatMap((name) => [name, BUCKETS + name]) } };
    const found = await readListing(server, { listCollections: 1, filter, cursor: {} }, "", always);
    const byName = new Map(withBuckets(found).map((entry) => [nameOf(entry), entry]));
    return names.map((name) => byName.get(name));
  });
  return (name, signal) => batcher.ask(name, signal);
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
        reason: `the target's server does not accept this option (${codeText(shapeOf(error))})`,
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
  const kind = info.type === "collection" ? "collection with these options" : `${info.type} collection`;
  return new DualsyncError(
    "incomplete",
    `the target's server cannot create a ${kind} (${codeText(shape)}); is it too old?`,
    { cause: error },
  );
}

/** The option that the server's message names, else any that can be done without. */
function optionToDrop(options: ReadonlyMap<string, unknown>, message: string): string | undefined {
  const dispensable = [...options.keys()].filter((name) => !ESSENTIAL.has(name));
  return dispensable.find((name) => message.includes(name)) ?? dispensable.at(-1);
}
