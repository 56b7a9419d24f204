/** MongoDB behind the contract: documents pass through as the bytes that the server holds. */
import { randomUUID } from "node:crypto";
import { DualsyncError } from "../../errors.ts";
import type { CollectionInfo, ReadOptions, Source, StoreIdentity, Target } from "../connector.ts";
import { provenanceRecord } from "../control-records.ts";
import type { HeldLease } from "../kept-lease.ts";
import { ProvenanceBook, type WriteProvenance } from "../provenance.ts";
import { incarnationOf, listCollections, lookUp, nameProblem } from "./collections.ts";
import { countDocuments } from "./count.ts";
import { Creator } from "./creator.ts";
import { digester } from "./digester.ts";
import { findByIds } from "./find.ts";
import { isLookable } from "./id-value.ts";
import { listIndexes } from "./indexes.ts";
import { takeLease } from "./lease.ts";
import { readHistory, readOwn, readSeal, writeRecord } from "./own.ts";
import { cutRanges } from "./ranges.ts";
import { readBatches } from "./read.ts";
import { Seals } from "./seals.ts";
import { findWriteWay } from "./self-test.ts";
import { Server, type ServerOptions } from "./server.ts";
import { sizeOfDatabase } from "./sizes.ts";
import { type Find, Writer } from "./write.ts";

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
    canFind: (id) => isLookable(id.element),
    async isStillThere(collection, signal) {
      const entry = await lookUp(server, collection.name, signal);
      return entry !== undefined && incarnationOf(entry) === collection.incarnation;
    },
    indexes: (collection, signal) => listIndexes(server, collection, signal),
    history: (signal) => readHistory(server, signal),
    seal: (collection, signal) => readSeal(server, collection, signal),
    size: (signal) => sizeOfDatabase(server, signal),
    seesNonce: async (nonce, signal) => (await readOwn(server, "lease", signal))?.nonce === nonce,
    close: () => server.close(),
  };
}

/** What a target can do besides; nothing of it without the lease. */
function writing(server: Server): Omit<Target, keyof Source> {
  const find: Find = (collection, ids, signal) => findByIds(server, collection, ids, signal);
  let claimed: Claimed | undefined;
  const held = async (): Promise<Claimed> => {
    if (claimed === undefined) throw new DualsyncError("bug", "A target was written to without its lease.");
    await claimed.lease.hold();
    return claimed;
  };
  /** The right to change documents: nothing that was said of the collection holds any longer. */
  const unsealed = async (collection: string, signal: AbortSignal): Promise<Claimed> => {
    const writing = await held();
    await writing.seals.break(collection, signal);
    return writing;
  };
  return {
    nameProblem,
    async claim(run, signal) {
      const nonce = randomUUID();
      const lease = await takeLease(server, run, nonce, signal);
      try {
        const way = await findWriteWay(server, find, nonce, signal);
        const history = await readHistory(server, signal);
        const note: WriteProvenance = (name, provenance, until) =>
          writeRecord(server, provenanceRecord(name, provenance), until);
        const provenance = new ProvenanceBook(note, run.from, history);
        claimed = {
          lease,
          seals: await Seals.open(server, signal),
          writer: new Writer(server, find, way),
          creator: new Creator(server, way, provenance),
        };
        return lease;
      } catch (error) {
        await lease.release().catch(() => undefined); // it ends by itself; the first error is the one to tell
        throw error;
      }
    },
    prepare: async (info, signal) => await (await held()).creator.prepare(info, signal),
    reset: async (info, signal) => await (await unsealed(info.name, signal)).creator.reset(info, signal),
    finish: async (info, indexes, signal) => await (await held()).creator.finish(info, indexes, signal),
    write: async (collection, batch, mode, signal) =>
      await (await unsealed(collection, signal)).writer.write(collection, batch, mode, signal),
    remove: async (collection, ids, signal) =>
      await (await unsealed(collection, signal)).writer.remove(collection, ids, signal),
    leaveSeal: async (collection, seal, signal) => await (await held()).seals.leave(collection, seal, signal),
  };
}

interface Claimed {
  readonly lease: HeldLease;
  readonly seals: Seals;
  readonly writer: Writer;
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
