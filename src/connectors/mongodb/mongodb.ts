/** MongoDB behind the contract: documents pass through as the bytes that the server holds. */
import { randomUUID } from "node:crypto";
import type { CollectionInfo, Lease, ReadOptions, Run, StoreIdentity, Target } from "../connector.ts";
import {
  alignOptions,
  createCollection,
  incarnationOf,
  listCollections,
  lookUp,
  withoutValidator,
} from "./collections.ts";
import { countDocuments, isEmpty } from "./count.ts";
import { findByIds } from "./find.ts";
import { buildIndexes, listIndexes } from "./indexes.ts";
import { readOwn, takeLease, writeOwn } from "./lease.ts";
import { isLookable } from "./lookable.ts";
import { cutRanges } from "./ranges.ts";
import { readBatches } from "./read.ts";
import { findWriteWay } from "./self-test.ts";
import { Server, type ServerOptions } from "./server.ts";
import { decodedCarrier, rawCarrier } from "./wire.ts";
import { type Find, Writer, type WriteWay } from "./write.ts";

/** Opens a MongoDB database as a source or a target. @throws DualsyncError when it cannot be reached or used */
export async function mongodb(options: ServerOptions, signal: AbortSignal): Promise<Target> {
  const server = await Server.open(options, signal);
  const find: Find = (collection, ids, findSignal) => findByIds(server, collection, ids, findSignal);
  let way: WriteWay = { carrier: rawCarrier() ?? decodedCarrier, flags: {}, passesValidators: false };
  let writer = new Writer(server, find, way);
  /** Collections that were created without their validator, which would stop documents that it did not stop before. */
  const unvalidated = new Set<string>();

  return {
    label: options.label,
    identity: (identitySignal) => identify(server, identitySignal),
    list: (listSignal) => listCollections(server, listSignal),
    count: (collection, selection, countSignal) => countDocuments(server, collection, selection, countSignal),
    ranges: (collection, pieces, rangeSignal) => cutRanges(server, collection, pieces, rangeSignal),
    read: (collection, readOptions) => read(server, collection, readOptions),
    find,
    canFind: (id) => isLookable(id.element),
    async isStillThere(collection, thereSignal) {
      const entry = await lookUp(server, collection.name, thereSignal);
      return entry !== undefined && incarnationOf(entry) === collection.incarnation;
    },
    indexes: (collection, indexSignal) => listIndexes(server, collection, indexSignal),
    seesNonce: async (nonce, nonceSignal) => (await readOwn(server, "lease", nonceSignal))?.nonce === nonce,
    close: () => server.close(),

    async claim(run: Run, claimSignal: AbortSignal): Promise<Lease> {
      const nonce = randomUUID();
      const lease = await takeLease(server, run, nonce, claimSignal);
      try {
        way = await findWriteWay(server, find, nonce, claimSignal);
        writer = new Writer(server, find, way);
        return lease;
      } catch (error) {
        await lease.release().catch(() => undefined); // it ends by itself; the first error is the one to tell
        throw error;
      }
    },
    async prepare(info, prepareSignal) {
      const existing = await lookUp(server, info.name, prepareSignal);
      if (existing !== undefined) {
        const notReproduced = await alignOptions(server, info, existing, prepareSignal);
        return {
          empty: info.kind !== "view" && (await isEmpty(server, info.name, prepareSignal)),
          notReproduced,
        };
      }
      const created = way.passesValidators ? info : withoutValidator(info);
      if (created !== info) unvalidated.add(info.name);
      const notReproduced = await createCollection(server, created, prepareSignal);
      if (info.kind !== "collection") await recordCreated(server, info.name, prepareSignal);
      return { empty: true, notReproduced };
    },
    async reset(info, resetSignal) {
      const created = way.passesValidators ? info : withoutValidator(info);
      if (!(await reset(server, created, resetSignal))) return false;
      if (created !== info) unvalidated.add(info.name);
      return true;
    },
    write: (collection, batch, mode, writeSignal) => writer.write(collection, batch, mode, writeSignal),
    remove: (collection, ids, removeSignal) => writer.remove(collection, ids, removeSignal),
    async finish(info, indexes, finishSignal) {
      const lost = await buildIndexes(server, info.name, indexes, finishSignal);
      if (!unvalidated.delete(info.name)) return lost;
      const existing = await lookUp(server, info.name, finishSignal);
      return existing === undefined
        ? lost
        : [...lost, ...(await alignOptions(server, info, existing, finishSignal))];
    },
  };
}

async function identify(server: Server, signal: AbortSignal): Promise<StoreIdentity> {
  const answer = await server.run({ buildInfo: 1 }, { signal, doing: "ask for the version" });
  return { product: `MongoDB ${String(answer.version)}`, label: server.label };
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

/** Remembers, in the target, that this program created the collection, by the id that the server gave it. */
async function recordCreated(server: Server, name: string, signal: AbortSignal): Promise<void> {
  const uuid = await uuidOf(server, name, signal);
  if (uuid !== undefined) await writeOwn(server, `created ${name}`, { uuid }, signal);
}

async function uuidOf(server: Server, name: string, signal: AbortSignal): Promise<string | undefined> {
  return incarnationOf(await lookUp(server, name, signal));
}

async function reset(server: Server, info: CollectionInfo, signal: AbortSignal): Promise<boolean> {
  const uuid = await uuidOf(server, info.name, signal);
  const created = await readOwn(server, `created ${info.name}`, signal);
  if (uuid === undefined || created?.uuid !== uuid) return false;
  await server.run(
    { drop: info.name, writeConcern: { w: "majority" } },
    { signal, doing: `empty ${info.name}` },
  );
  await createCollection(server, info, signal);
  await recordCreated(server, info.name, signal);
  return true;
}
