/** MongoDB behind the contract: documents pass through as the bytes that the server holds. */
import { randomUUID } from "node:crypto";
import { DualsyncError } from "../../model/errors.ts";
import type { CollectionInfo, ReadOptions, Source, StoreIdentity, Target } from "../contract.ts";
import { provenanceRecord } from "../control/control-records.ts";
import { ProvenanceBook, type WriteProvenance } from "../control/provenance.ts";
import type { HeldLease } from "../lease/lease-renewal.ts";
import { Server, type ServerOptions } from "./connection/server.ts";
import { ChecksumStore } from "./control/checksums.ts";
import { readChecksums, readControl, readHistory, writeRecord } from "./control/control-collection.ts";
import { takeLease } from "./control/lease.ts";
import { digester } from "./digest/digester.ts";
import { countDocuments } from "./reading/count.ts";
import { findByIds } from "./reading/find.ts";
import { isQueryable } from "./reading/id-value.ts";
import { cutRanges } from "./reading/ranges.ts";
import { readBatches } from "./reading/read.ts";
import { listCollections, lookUp, nameProblem, uidOf } from "./schema/collections.ts";
import { listIndexes } from "./schema/indexes.ts";
import { sizeOfDatabase } from "./schema/sizes.ts";
import { Creator } from "./writing/creator.ts";
import { findWriteTransport } from "./writing/self-test.ts";
import { DocumentWriter, type Find } from "./writing/write.ts";

/** Opens a MongoDB database as a source or a target. @throws DualsyncError when it cannot be reached or used */
export async function mongodb(options: ServerOptions, signal: AbortSignal): Promise<Target> {
  const server = await Server.open(options, signal);
  return { ...reading(server), ...writing(server) };
}

/** What a source can do. */
function reading(server: Server): Source {
  return {
    label: server.label,
    identity: (signal) => identify(server, signal),
    list: (signal) => listCollections(server, signal),
    count: (collection, selection, signal) => countDocuments(server, collection, selection, signal),
    ranges: (collection, pieces, signal, within) => cutRanges(server, collection, pieces, signal, within),
    digester: (collection, signal) => digester(server, collection, signal),
    read: (collection, options) => read(server, collection, options),
    find: (collection, ids, signal) => findByIds(server, collection, ids, signal),
    canQuery: (id) => isQueryable(id.element),
    async stillExists(collection, signal) {
      const entry = await lookUp(server, collection.name, signal);
      return entry !== undefined && uidOf(entry) === collection.uid;
    },
    indexes: (collection, signal) => listIndexes(server, collection, signal),
    history: (signal) => readHistory(server, signal),
    checksums: (collection, signal) => readChecksums(server, collection, signal),
    size: (signal) => sizeOfDatabase(server, signal),
    seesNonce: async (nonce, signal) => (await readControl(server, "lease", signal))?.nonce === nonce,
    close: () => server.close(),
  };
}

/** What a target can do besides; nothing of it without the lease. */
function writing(server: Server): Omit<Target, keyof Source> {
  const find: Find = (collection, ids, signal) => findByIds(server, collection, ids, signal);
  let claimed: MongodbClaim | undefined;
  const held = async (): Promise<MongodbClaim> => {
    if (claimed === undefined) throw new DualsyncError("bug", "A target was written to without its lease.");
    await claimed.lease.hold();
    return claimed;
  };
  /** The right to change documents: nothing that was said of the collection holds any longer. */
  const withoutChecksums = async (collection: string, signal: AbortSignal): Promise<MongodbClaim> => {
    const writing = await held();
    await writing.checksums.break(collection, signal);
    return writing;
  };
  return {
    nameProblem,
    async claim(run, signal) {
      const nonce = randomUUID();
      const lease = await takeLease(server, run, nonce, signal);
      try {
        const transport = await findWriteTransport(server, find, nonce, signal);
        const history = await readHistory(server, signal);
        const note: WriteProvenance = (name, provenance, until) =>
          writeRecord(server, provenanceRecord(name, provenance), until);
        const provenance = new ProvenanceBook(note, run.from, history);
        claimed = {
          lease,
          checksums: await ChecksumStore.open(server, signal),
          writer: new DocumentWriter(server, find, transport),
          creator: new Creator(server, transport, provenance),
        };
        return lease;
      } catch (error) {
        await lease.release().catch(() => undefined); // it ends by itself; the first error is the one to tell
        throw error;
      }
    },
    prepare: async (info, signal) => await (await held()).creator.prepare(info, signal),
    reset: async (info, signal) =>
      await (await withoutChecksums(info.name, signal)).creator.reset(info, signal),
    finish: async (info, indexes, signal) => await (await held()).creator.finish(info, indexes, signal),
    write: async (collection, batch, mode, signal) =>
      await (await withoutChecksums(collection, signal)).writer.write(collection, batch, mode, signal),
    remove: async (collection, ids, signal) =>
      await (await withoutChecksums(collection, signal)).writer.remove(collection, ids, signal),
    leaveChecksums: async (collection, checksums, signal) =>
      await (await held()).checksums.leave(collection, checksums, signal),
  };
}

interface MongodbClaim {
  readonly lease: HeldLease;
  readonly checksums: ChecksumStore;
  readonly writer: DocumentWriter;
  readonly creator: Creator;
}

async function identify(server: Server, signal: AbortSignal): Promise<StoreIdentity> {
  const [answer, hello] = await Promise.all([
    server.run({ buildInfo: 1 }, { signal, doing: "ask for the version" }),
    server.run({ hello: 1 }, { signal, doing: "ask for the time" }),
  ]);
  const time: unknown = hello.localTime;
  // Behind routers the data is elsewhere: two of them may be the way to one cluster.
  const instance = server.hello.router ? undefined : server.hello.instance;
  const product = `MongoDB ${String(answer.version)}`;
  return {
    instance,
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
  const order = collection.kind === "collection" ? "id" : collection.kind === "capped" ? "natural" : "any";
  return readBatches(server, { ...options, collection: collection.name, order, documentBytes: average });
}
