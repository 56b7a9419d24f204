import type { CollectionInfo, Metadata } from "../../collection.ts";
import type { PreparedCollection } from "../../contract.ts";
import type { ProvenanceBook } from "../../control/provenance.ts";
import type { NotReproduced } from "../../write-outcome.ts";
import type { Server } from "../connection/server.ts";
import { isEmpty } from "../reading/count.ts";
import { alignOptions } from "../schema/collection-options.ts";
import { createCollection, type LookUp, uidOf, withoutValidator } from "../schema/collections.ts";
import { buildIndexes } from "../schema/indexes.ts";
import type { WriteTransport } from "./write.ts";

/** What is known of the target's collections. */
export interface Listed {
  readonly lookUp: LookUp;
  /** Whether a collection held documents when all of them were listed last; false where that is not known. */
  held(uid: string | undefined): boolean;
}

/** Makes collections of the target what those of the source are, except their documents. */
export class Creator {
  readonly #server: Server;
  readonly #transport: WriteTransport;
  readonly #provenance: ProvenanceBook;
  readonly #listed: Listed;
  /** Collections that were created without their validator, which would stop documents that it did not stop before. */
  readonly #unvalidated = new Set<string>();

  constructor(server: Server, transport: WriteTransport, provenance: ProvenanceBook, listed: Listed) {
    this.#server = server;
    this.#listed = listed;
    this.#transport = transport;
    this.#provenance = provenance;
  }

  async prepare(info: CollectionInfo, signal: AbortSignal): Promise<PreparedCollection> {
    const existing = await this.#listed.lookUp(info.name, signal);
    if (existing === undefined) return await this.#create(info, signal);
    const notReproduced = await alignOptions(this.#server, info, existing, signal);
    if (info.kind === "definition") return { empty: false, fromEmpty: true, notReproduced };
    const uid = uidOf(existing);
    // One that was emptied since it was listed may as well be compared.
    const empty = !this.#listed.held(uid) && (await isEmpty(this.#server, info.name, signal));
    await this.#provenance.note(info, uid, empty, signal);
    const fromEmpty = this.#provenance.isFromEmpty(info.name, uid);
    return { empty, fromEmpty, notReproduced, uid };
  }

  async reset(info: CollectionInfo, signal: AbortSignal): Promise<boolean> {
    const existing = uidOf(await this.#listed.lookUp(info.name, signal));
    if (!this.#provenance.isFromEmpty(info.name, existing)) return false;
    await this.#server.run(
      { drop: info.name, writeConcern: { w: "majority" } },
      { signal, doing: `empty ${info.name}`, collection: info.name },
    );
    await this.#create(info, signal);
    return true;
  }

  async finish(
    info: CollectionInfo,
    indexes: readonly Metadata[],
    signal: AbortSignal,
  ): Promise<NotReproduced[]> {
    const isMade = info.type === "timeseries"; // with an index, by newer servers
    const uid = isMade ? uidOf(await this.#listed.lookUp(info.name, signal)) : undefined;
    const own = isMade && this.#provenance.isFromEmpty(info.name, uid);
    const lost = await buildIndexes(this.#server, info, indexes, own, signal);
    if (!this.#unvalidated.delete(info.name)) return lost;
    const existing = await this.#listed.lookUp(info.name, signal);
    return existing === undefined
      ? lost
      : [...lost, ...(await alignOptions(this.#server, info, existing, signal))];
  }

  async #create(info: CollectionInfo, signal: AbortSignal): Promise<PreparedCollection> {
    const created = this.#transport.passesValidators ? info : withoutValidator(info);
    if (created !== info) this.#unvalidated.add(info.name);
    const notReproduced = await createCollection(this.#server, created, signal);
    if (info.kind === "definition") return { empty: true, fromEmpty: true, notReproduced };
    const uid = uidOf(await this.#listed.lookUp(info.name, signal));
    await this.#provenance.note(info, uid, true, signal);
    return {
      empty: true,
      fromEmpty: true,
      notReproduced,
      uid,
    };
  }
}
