/** An archive as a store that is only read. */
import type { Doc } from "../../model/document.ts";
import { DualsyncError } from "../../model/errors.ts";
import type { Reader, With } from "../contract.ts";
import { metadataDifferences } from "../definitions/metadata-differences.ts";
import { renamed } from "../definitions/renamed.ts";
import type { History } from "../powers/run-history.ts";
import type { OpenedArchive, StoredCollection } from "./stored-collection.ts";
import { ARCHIVE_WORDS } from "./words.ts";

export type ArchiveReader = Reader &
  With<"ranges" | "lookup" | "metadata" | "history" | "integrity" | "keptBlueprints">;

/** Requests that files answer at a time as fast as one. */
const PARALLEL = 2;

/** `label`: the place, for people. The archive is opened when something of it is asked for first, and closed with the reader. */
export function archiveReader(label: string, open: () => Promise<OpenedArchive>): ArchiveReader {
  let opening: Promise<OpenedArchive> | undefined;
  const opened = (): Promise<OpenedArchive> => {
    opening ??= open();
    return opening;
  };
  const collection = async (name: string): Promise<StoredCollection> => {
    const found = (await opened()).collections.find(({ info }) => info.name === name);
    if (found === undefined)
      throw new DualsyncError("local", `${label} holds no collection ${JSON.stringify(name)}.`, {
        hint: "Nothing was changed.",
      });
    return found;
  };
  return {
    label,
    words: ARCHIVE_WORDS,
    countsExactly: true,
    parallel: PARALLEL,
    identity: async () => ({ product: (await opened()).product, label }),
    async list() {
      const { collections, notCopied } = await opened();
      return { collections: collections.map(infoOf), notCopied };
    },
    count: async (name, { range }, signal) => await (await collection(name)).count(range, signal),
    async *read({ name }, options) {
      yield* (await collection(name)).read(options);
    },
    async close() {
      await (await opening?.catch(() => undefined))?.close();
    },
    ranges: {
      cut: async ({ name }, pieces, _signal, within) =>
        (await collection(name)).cut?.(pieces, within) ?? [within ?? {}],
    },
    lookup: {
      find: async (name, ids, signal): Promise<ReadonlyMap<string, Doc>> =>
        ids.length === 0 ? new Map() : await (await collection(name)).find(ids, signal),
      canQuery: () => true,
    },
    metadata: {
      indexes: async (name) => (await collection(name)).indexes,
      renamed,
      differences: metadataDifferences,
    },
    history: {
      read: async () => historyOf(await opened()),
      // Nothing is written into what is an archive already.
      seesNonce: async () => false,
    },
    integrity: {
      proof: async () => (await opened()).proof,
      check: async (name, signal) => await (await collection(name)).check(signal),
    },
    keptBlueprints: {
      async read() {
        const kept = (await opened()).collections.flatMap(({ info: { name }, blueprint }) =>
          blueprint === undefined ? [] : [[name, blueprint] as const],
        );
        return new Map(kept);
      },
    },
  };
}

function infoOf({ info, altered }: StoredCollection): StoredCollection["info"] {
  return altered.length === 0 ? info : { ...info, doubts: altered };
}

/** What the run that wrote it would have left in a copy. */
function historyOf({ origin, collections }: OpenedArchive): History {
  if (origin === undefined) return { collections: new Map() };
  const { run, command, source: from, from: since, verified } = origin;
  const documents = new Map(collections.map(({ info }) => [info.name, info.documents]));
  return {
    lastRun: { command, from, run, token: run, complete: true, verified, since, documents },
    collections: new Map(),
  };
}
