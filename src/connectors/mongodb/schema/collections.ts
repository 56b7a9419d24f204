import type { CollectionKind, NotCopied } from "../../../model/collection.ts";
import { DualsyncError } from "../../../model/errors.ts";
import type { CollectionInfo, Listing, Metadata } from "../../collection.ts";
import { CONTROL_NAME, isControlName } from "../../control/control-name.ts";
import { Batcher } from "../../wrappers/batcher.ts";
import { retry } from "../../wrappers/retry.ts";
import type { NotReproduced } from "../../write-outcome.ts";
import type { Server } from "../connection/server.ts";
import { codeText, isFatal, isFull, isTransient, shapeOf } from "../failures/faults.ts";
import { lengthProblem } from "../location/collection-name.ts";
import { readListing } from "../reading/listing.ts";
import { assertSpelling } from "./database-spelling.ts";
import { sizeOf } from "./sizes.ts";

/** The collection in which dualsync keeps its lease and history, in the target itself. */
export const CONTROL_COLLECTION = CONTROL_NAME;

/** Before the name of a time-series: the collection in which a server keeps it. */
const BUCKETS = "system.buckets.";
/** The first wire version whose time-series are kept under their own names. */
const WITHOUT_BUCKETS = 28;

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
  if (found.length === 0) await assertSpelling(server, signal);
  const wanted = withBuckets(found).filter((entry) => !isBehindTheScenes(nameOf(entry)));
  const [system, ordinary] = [true, false].map((of) =>
    wanted.filter((entry) => nameOf(entry).startsWith("system.") === of),
  );
  const reason = "system collections belong to the server";
  const notCopied: NotCopied[] = (system ?? []).map((entry) => ({ name: nameOf(entry), reason }));
  const collections: CollectionInfo[] = [];
  const failures: DualsyncError[] = [];
  await Promise.all(
    (ordinary ?? []).map(async (entry) => {
      const name = nameOf(entry);
      try {
        collections.push(await describe(server, name, entry, signal));
      } catch (error) {
        if (!(error instanceof DualsyncError) || !error.ofOneCollection) throw error;
        failures.push(error);
        notCopied.push({ name, reason: error.message, isLoss: true });
      }
    }),
  );
  const [first] = failures;
  // A right that is missing for all of them is missing for the database.
  if (first?.exit === "denied" && collections.every(({ kind }) => kind === "definition")) throw first;
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

/** Why this database has no room for the collection's name, in words that follow it; undefined: it has. */
export function roomProblem(
  server: Server,
  { name, type }: Pick<CollectionInfo, "name" | "type">,
): string | undefined {
  const bucketed = type === "timeseries" && server.hello.maxWireVersion < WITHOUT_BUCKETS;
  return lengthProblem(name, server.database, bucketed ? BUCKETS : "");
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
      const mayHelp = !isTransient(error) && !isFull(error);
      const culprit = mayHelp ? optionToDrop(options, shapeOf(error).message) : undefined;
      if (culprit === undefined)
        throw refusal(info, error) ?? server.fault(error, `create ${info.name}`, info.name);
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

/** Codes with which a server says that it does not know this kind of collection, or a stage of this view. */
const UNKNOWN = new Set([2, 9, 72, 168, 238, 40324, 40415]);

const INVALID_NAME = 73;

/** What a server will not create, now or later, is no reason to copy nothing else. Undefined: it is no matter of this one. */
function refusal(info: CollectionInfo, error: unknown): DualsyncError | undefined {
  const shape = shapeOf(error);
  if (shape.code === undefined || isTransient(error) || isFatal(error)) return undefined;
  const advice = shape.code === INVALID_NAME ? "; give it another name with --rename" : "";
  const old = UNKNOWN.has(shape.code) ? "; is it too old?" : advice;
  return new DualsyncError(
    "incomplete",
    `the target's server cannot create ${kindText(info)} (${codeText(shape)})${old}`,
    { cause: error },
  );
}

function kindText({ kind, type, options }: CollectionInfo): string {
  if (kind === "definition") return `this ${type}`;
  if (type !== "collection") return `a ${type} collection`;
  return options.size === 0 ? "this collection" : "a collection with these options";
}

/** The option that the server's message names, else any that can be done without. */
function optionToDrop(options: ReadonlyMap<string, unknown>, message: string): string | undefined {
  const dispensable = [...options.keys()].filter((name) => !ESSENTIAL.has(name));
  return dispensable.find((name) => message.includes(name)) ?? dispensable.at(-1);
}
