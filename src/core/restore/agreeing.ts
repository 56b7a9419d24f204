/**
 * Notes on what both sides agree while a store is restored from its copy: wherever the store is seen to say what the copy says. Then
 * whatever is changed afterwards is known to be newer.
 */
import type { Reader, With } from "../../connectors/contract.ts";
import type { Agreement, AgreementWriter } from "../../connectors/powers/agreements.ts";
import type { Content, Contents } from "../../connectors/powers/contents.ts";
import { withMembers } from "../../connectors/wrappers/with-members.ts";
import type { Doc } from "../../model/document.ts";
import { decide } from "../sync/decide.ts";

/** Documents of which it is remembered that the store holds something else: those that are being written are among the last. */
const MOST_REMEMBERED = 20_000;

export interface AgreeingSides {
  readonly copy: Reader & With<"lookup" | "agreements">;
  /** Of the copy's session. */
  readonly agreements: AgreementWriter;
  readonly contents: Contents;
  readonly now: () => Date;
}

/** The store, with everything that it gives held against the copy. */
export function agreeing(store: Reader, sides: AgreeingSides): Reader {
  const notes = new Notes(sides);
  const { lookup } = store;
  return withMembers(store, {
    async *read(collection, options) {
      for await (const batch of store.read(collection, options)) {
        await notes.take(collection.name, batch.docs(), options.signal);
        yield batch;
      }
    },
    lookup:
      lookup &&
      withMembers(lookup, {
        async find(collection, ids, signal) {
          const found = await lookup.find(collection, ids, signal);
          await notes.take(collection, [...found.values()], signal);
          return found;
        },
      }),
  });
}

class Notes {
  readonly #sides: AgreeingSides;
  /** By `DocumentId.key`: the hash of what the store held where that was something else, the last ones last. */
  readonly #before = new Map<string, string>();

  constructor(sides: AgreeingSides) {
    this.#sides = sides;
  }

  async take(collection: string, documents: readonly Doc[], signal: AbortSignal): Promise<void> {
    if (documents.length === 0) return;
    const { copy, agreements } = this.#sides;
    const ids = documents.map(({ id }) => id);
    const [copied, agreed] = await Promise.all([
      copy.lookup.find(collection, ids, signal),
      copy.agreements.find(ids, signal),
    ]);
    const fresh = documents.flatMap((doc) => {
      const { key } = doc.id;
      const there = copied.get(key);
      return there === undefined ? [] : (this.#agreement(doc, there, agreed.get(key)) ?? []);
    });
    if (fresh.length > 0) await agreements.leave(fresh, signal);
  }

  /** Undefined where they do not say the same, or it is noted that they do. */
  #agreement(ours: Doc, theirs: Doc, agreed: Agreement | undefined): Agreement | undefined {
    const { contents, now } = this.#sides;
    const [primary, copy] = [contents.of(ours), contents.of(theirs)];
    if ("problem" in primary || "problem" in copy) return undefined;
    const same = primary.hash === copy.hash || contents.saysSame(ours, theirs);
    const { finding, action } = decide({ primary, copy, same, agreed }, LOOKING, now().getTime());
    const { key } = ours.id;
    if (!same) this.#remember(key, primary);
    if (finding !== "equal") return undefined;
    const before = this.#before.get(key);
    this.#before.delete(key);
    // What was replaced is to be known, too, where both agreed on the same before.
    if (action !== "agree" && before === undefined) return undefined;
    return {
      id: ours.id.copy(),
      primary: primary.hash,
      copy: copy.hash,
      expiresAt: primary.expiresAt,
      ...(before === undefined ? {} : { replaced: { primary: before } }),
    };
  }

  #remember(key: string, { hash }: Content): void {
    this.#before.delete(key);
    this.#before.set(key, hash);
    const [oldest] = this.#before.size > MOST_REMEMBERED ? this.#before.keys() : [];
    if (oldest !== undefined) this.#before.delete(oldest);
  }
}

/** Nothing is written by these. */
const LOOKING = { direction: "both", onConflict: "park", deletes: false, restoresMarked: false } as const;
