/** MongoDB behind the contract: documents pass through as the bytes that the server holds. */
import { randomUUID } from "node:crypto";
import type { CollectionInfo, Metadata, ReadOptions } from "../collection.ts";
import type { Powers, Reader, Run, StoreIdentity, With, WriteSession } from "../contract.ts";
import { provenanceRecord } from "../control/control-records.ts";
import { ProvenanceBook, type WriteProvenance } from "../control/provenance.ts";
import { metadataDifferences } from "../definitions/metadata-differences.ts";
import { renamed } from "../definitions/renamed.ts";
import type { BlueprintWriter } from "../powers/blueprints.ts";
import type { ChecksumWriter } from "../powers/checksums.ts";
import type { GuardedWrites } from "../powers/guarded-writes.ts";
import type { Sequences } from "../powers/sequences.ts";
import { endedBy } from "../wrappers/ended-by.ts";
import { Server, type ServerOptions } from "./connection/server.ts";
import { BlueprintStore } from "./control/blueprints.ts";
import { ChecksumStore } from "./control/checksums.ts";
import {
  checksumReader,
  listBlueprints,
  readControl,
  readHistory,
  writeRecord,
} from "./control/control-collection.ts";
import { takeLease } from "./control/lease.ts";
import { digester } from "./digest/digester.ts";
import { countDocuments } from "./reading/count.ts";
import { among, findByIds } from "./reading/find.ts";
import { isQueryable } from "./reading/id-value.ts";
import { cutRanges } from "./reading/ranges.ts";
import { readBatches } from "./reading/read.ts";
import { type LookUp, listCollections, lookUps, roomProblem, uidOf } from "./schema/collections.ts";
import { dueUnder, expiredUnder } from "./schema/expiry.ts";
import { listIndexes } from "./schema/indexes.ts";
import { sizeOfDatabase } from "./schema/sizes.ts";
import { uniqueRules } from "./schema/unique-values.ts";
import { MONGODB_WORDS } from "./words.ts";
import { Creator, type Listed } from "./writing/creator.ts";
import { GuardedWriter } from "./writing/guarded-writes.ts";
import { findWriteTransport } from "./writing/self-test.ts";
import { DocumentWriter, type Find } from "./writing/write.ts";

/** A MongoDB database: it has every power but those of stores that make their documents from something else. */
export type MongodbReader = Reader & With<Exclude<keyof Powers, Foreign>>;

type Foreign =
  | "mapping"
  | "exactness"
  | "hiding"
  | "keys"
  | "selectiveReads"
  | "changes"
  | "references"
  | "cautions"
  | "blueprints"
  | "contents"
  | "agreements"
  | "costs"
  | "probe"
  | "integrity"
  | "keptCopies";

/** What may be done to a MongoDB database under its lease. */
export interface MongodbSession extends WriteSession {
  readonly sequences: Sequences;
  readonly checksums: ChecksumWriter;
  readonly blueprints: BlueprintWriter;
  readonly guarded: GuardedWrites;
}

export interface MongodbStore extends MongodbReader {
  claim(run: Run, signal: AbortSignal): Promise<MongodbSession>;
}

/** Opens a MongoDB database. @throws DualsyncError when it cannot be reached or used */
export async function mongodb(options: ServerOptions, signal: AbortSignal): Promise<MongodbStore> {
  const server = await Server.open(options, signal);
  const lookUp = lookUps(server);
  const filled = new Set<string | undefined>();
  const listed = { lookUp, held: (uid: string | undefined) => uid !== undefined && filled.has(uid) };
  const list: Reader["list"] = async (until) => {
    const found = await listCollections(server, until);
    filled.clear();
    for (const { uid, documents } of found.collections) if (documents > 0) filled.add(uid);
    return found;
  };
  return { ...reader(server, lookUp), list, claim: (run, until) => claim(server, listed, run, until) };
}

function reader(server: Server, lookUp: LookUp): Omit<MongodbReader, "list"> {
  const indexes = sharedIndexes(server);
  const checksums = checksumReader(server);
  return {
    label: server.label,
    words: MONGODB_WORDS,
    countsExactly: true,
    parallel: 16,
    identity: (signal) => identify(server, signal),
    count: (collection, selection, signal) => countDocuments(server, collection, selection, signal),
    read: (collection, options) => read(server, collection, options),
    close: () => server.close(),
    ranges: {
      cut: (collection, pieces, signal, within) => cutRanges(server, collection, pieces, signal, within),
    },
    lookup: {
      find: (collection, ids, signal) => findByIds(server, collection, ids, signal),
      canQuery: (id) => isQueryable(id.element),
    },
    digests: { digester: (collection, signal) => digester(server, collection, signal) },
    filters: {
      among: (collection, filter, ids, signal) => among(server, collection, filter, ids, signal),
    },
    metadata: {
      indexes,
      renamed,
      nameProblem: (collection) => roomProblem(server, collection),
      differences: metadataDifferences,
    },
    presence: {
      async stillExists(collection, signal) {
        const entry = await lookUp(collection.name, signal);
        return entry !== undefined && uidOf(entry) === collection.uid;
      },
    },
    expiry: {
      async of({ name, kind, options }, signal) {
        const there = kind === "definition" ? [] : await indexes(name, signal);
        return ({ bytes }, now) => expiredUnder(bytes, there, now, options);
      },
      async count({ name, kind, options }, now, signal) {
        const there = kind === "definition" ? [] : await indexes(name, signal);
        const filter = dueUnder(there, now, options);
        return filter === undefined ? 0 : await countDocuments(server, name, { filter }, signal);
      },
    },
    uniqueValues: { of: (collection, signal) => uniqueRules(server, collection, signal) },
    history: {
      read: (signal) => readHistory(server, signal),
      seesNonce: async (nonce, signal) => (await readControl(server, "lease", signal))?.nonce === nonce,
    },
    checksums: { read: (collection, signal) => checksums.ask(collection, signal) },
    keptBlueprints: { read: (signal) => listBlueprints(server, signal) },
    size: { bytes: (signal) => sizeOfDatabase(server, signal) },
  };
}

/** Who asks for the indexes of a collection while they are asked for already gets the same answer. */
function sharedIndexes(server: Server): (collection: string, signal: AbortSignal) => Promise<Metadata[]> {
  const underWay = new Map<string, Promise<Metadata[]>>();
  return async (collection, signal) => {
    const known = underWay.get(collection);
    if (known !== undefined) return await endedBy(signal, known);
    const asked = listIndexes(server, collection, signal).finally(() => underWay.delete(collection));
    underWay.set(collection, asked);
    return await asked;
  };
}

async function claim(server: Server, listed: Listed, run: Run, signal: AbortSignal): Promise<MongodbSession> {
  const nonce = randomUUID();
  const lease = await takeLease(server, run, nonce, signal);
  try {
    const find: Find = (collection, ids, until) => findByIds(server, collection, ids, until);
    const transport = await findWriteTransport(server, find, nonce, signal);
    const history = await readHistory(server, signal);
    const note: WriteProvenance = (name, provenance, written) =>
      writeRecord(server, provenanceRecord(run.command, name, provenance), written);
    const creator = new Creator(server, transport, new ProvenanceBook(note, run, history), listed);
    const writer = new DocumentWriter(server, find, transport);
    const guarded = new GuardedWriter({ server, find, transport, writer, lookUp: listed.lookUp });
    const checksums = await ChecksumStore.open(server, signal);
    const blueprints = new BlueprintStore(server);
    /** Before documents change: nothing that was said of the collection holds any longer. */
    const changing = async (collection: string, until: AbortSignal): Promise<void> => {
      await lease.hold();
      await checksums.break(collection, until);
    };
    return {
      ...lease,
      async prepare(info, until) {
        await lease.hold();
        return await creator.prepare(info, until);
      },
      async write(collection, batch, mode, until) {
        await changing(collection, until);
        return await writer.write(collection, batch, mode, until);
      },
      async remove(collection, ids, until) {
        await changing(collection, until);
        return await writer.remove(collection, ids, until);
      },
      async finish(info, indexes, until) {
        await lease.hold();
        return await creator.finish(info, indexes, until);
      },
      sequences: {
        async append(collection, batch, until) {
          await changing(collection, until);
          return await writer.write(collection, batch, "append", until);
        },
        async reset(info, until) {
          await changing(info.name, until);
          return await creator.reset(info, until);
        },
      },
      checksums: {
        async leave(collection, bytes, until) {
          await lease.hold();
          await checksums.leave(collection, bytes, until);
        },
      },
      blueprints: {
        async leave(collection, blueprint, until) {
          await lease.hold();
          await blueprints.leave(collection, blueprint, until);
        },
      },
      guarded: {
        async prepare(collection, writes, until) {
          await lease.hold();
          return await guarded.prepare(collection, writes, until);
        },
        async apply(collection, writes, until) {
          await changing(collection, until);
          return await guarded.apply(collection, writes, until);
        },
      },
    };
  } catch (error) {
    await lease.release().catch(() => undefined); // it expires by itself; the first error is the one to report
    throw error;
  }
}

async function identify(server: Server, signal: AbortSignal): Promise<StoreIdentity> {
  const [answer, hello] = await Promise.all([
    server.run({ buildInfo: 1 }, { signal, doing: "read the server's version" }),
    server.run({ hello: 1 }, { signal, doing: "read the server's time" }),
  ]);
  const time: unknown = hello.localTime;
  // Behind routers the data is elsewhere: two of them may be the way to one cluster.
  const instance = server.hello.router ? undefined : server.hello.instance;
  const product = `MongoDB ${String(answer.version)}`;
  return {
    ...(instance === undefined ? {} : { instance }),
    ...(time instanceof Date ? { time } : {}),
    product,
    label: server.label,
  };
}

function read(
  server: Server,
  collection: CollectionInfo,
  options: ReadOptions,
): ReturnType<typeof readBatches> {
  const average = collection.documents > 0 ? collection.bytes / collection.documents : 1_000;
  const sequence = collection.ordered ? "natural" : "any";
  const order = collection.kind === "collection" ? "id" : sequence;
  return readBatches(server, { ...options, collection: collection.name, order, documentBytes: average });
}
