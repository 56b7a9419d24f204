import type { Doc } from "../../../model/document.ts";
import { DualsyncError } from "../../../model/errors.ts";
import type { Store, WriteSession } from "../../contract.ts";
import type { LaidOutSession, LaidOutStore } from "../../copy-layouts.ts";
import type { AgreementReader } from "../../powers/agreements.ts";
import { isRecordDue } from "../entry/record-expiry.ts";
import { agreementReader, agreementWriter, rememberer } from "./agreements.ts";
import { type GuardedSession, guardedPlaces } from "./guarded-places.ts";
import type { KeyPlaces, KeyStore } from "./places.ts";
import { leaveUnfinished, readUnfinished } from "./unfinished.ts";
import { writePlaces } from "./write-places.ts";

/** The store with one collection, whose documents are the records of the keys that lie in these places. */
export function laidOutStore(
  copy: Store,
  open: (store: KeyStore, agreements: AgreementReader) => KeyPlaces,
): LaidOutStore {
  const store = keyStore(copy);
  const agreements = agreementReader(store);
  const places = open(store, agreements);
  const { label, words, parallel, history, size, costs } = store;
  return {
    ...{ label, words, parallel, history, size, costs, agreements, ...places.powers },
    countsExactly: store.countsExactly,
    identity: (signal) => store.identity(signal),
    list: async (signal) => ({ collections: [await places.list(signal)], notCopied: [] }),
    count: (_, selection, signal) => places.count(selection, signal),
    read: (collection, options) => places.read(collection, options),
    close: () => store.close(),
    // Whatever the store itself deletes: what is due in the primary is no longer missing there.
    expiry: { of: async () => isRecordDue },
    lookup: {
      async find(_, ids, signal) {
        const found = new Map<string, Doc>();
        for (const [key, { shown }] of await places.look(ids, signal))
          if (shown !== undefined) found.set(key, shown.doc);
        return found;
      },
      canQuery: (id) => store.lookup.canQuery(id),
    },
    unfinished: (signal) => readUnfinished(store, signal),
    survey: (signal) => places.survey(signal),
    async claim(run, signal) {
      return laidOutSession(store, places, await guardedSession(store, await store.claim(run, signal)));
    },
  };
}

/** @throws DualsyncError `refused` where the store cannot hold a copy of keys */
export function keyStore(copy: Store): KeyStore {
  if (!isKeyStore(copy)) throw cannotHold(copy);
  return copy;
}

function isKeyStore(copy: Store): copy is KeyStore {
  return copy.lookup !== undefined && copy.claim !== undefined;
}

async function guardedSession(store: KeyStore, session: WriteSession): Promise<GuardedSession> {
  if (isGuarded(session)) return session;
  await session.release();
  throw cannotHold(store);
}

function isGuarded(session: WriteSession): session is GuardedSession {
  return session.guarded !== undefined;
}

function cannotHold({ label }: Pick<Store, "label">): DualsyncError {
  return new DualsyncError("refused", `${label} cannot hold a copy of keys.`, {
    hint: "Nothing was changed. A MongoDB database can.",
  });
}

/** Powers that speak of the store's own collections are left out: its documents are not those that are shown. */
function laidOutSession(store: KeyStore, places: KeyPlaces, session: GuardedSession): LaidOutSession {
  const guarded = guardedPlaces(store, places, session);
  return {
    lost: session.lost,
    nonce: session.nonce,
    record: (record) => session.record(record),
    release: () => session.release(),
    ...writePlaces(places, guarded),
    guarded,
    agreements: agreementWriter(store, session),
    remember: rememberer(store, session),
    leaveUnfinished: (run, signal) => leaveUnfinished(store, session, run, signal),
  };
}
