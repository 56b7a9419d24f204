import type { CollectionInfo, Metadata, NotReproduced, Prepared } from "../connector.ts";
import type { ProvenanceBook } from "../provenance.ts";
import { alignOptions } from "./collection-options.ts";
import { createCollection, incarnationOf, lookUp, withoutValidator } from "./collections.ts";
import { isEmpty } from "./count.ts";
import { buildIndexes } from "./indexes.ts";
import type { Server } from "./server.ts";
import type { WriteWay } from "./write.ts";

/** Makes collections of the target what those of the source are, but for their documents. */
export class Creator {
  readonly #server: Server;
  readonly #way: WriteWay;
  readonly #provenance: ProvenanceBook;
  /** Collections that were created without their validator, which would stop documents that it did not stop before. */
  readonly #unvalidated = new Set<string>();

  constructor(server: Server, way: WriteWay, provenance: ProvenanceBook) {
    this.#server = server;
    this.#way = way;
    this.#provenance = provenance;
  }

  async prepare(info: CollectionInfo, signal: AbortSignal): Promise<Prepared> {
    const existing = await lookUp(this.#server, info.name, signal);
    if (existing === undefined) return await this.#create(info, signal);
    const notReproduced = await alignOptions(this.#server, info, existing, signal);
    if (info.kind === "view") return { empty: false, fromEmpty: true, notReproduced };
    const incarnation = incarnationOf(existing);
    const empty = await isEmpty(this.#server, info.name, signal);
    await this.#provenance.note(info, incarnation, empty, signal);
    const fromEmpty = this.#provenance.isFromEmpty(info.name, incarnation);
    return { empty, fromEmpty, notReproduced, incarnation };
  }

  async reset(info: CollectionInfo, signal: AbortSignal): Promise<boolean> {
    const existing = incarnationOf(await lookUp(this.#server, info.name, signal));
    if (!this.#provenance.isFromEmpty(info.name, existing)) return false;
    await this.#server.run(
      { drop: info.name, writeConcern: { w: "majority" } },
      { signal, doing: `empty ${info.name}` },
    );
    await this.#create(info, signal);
    return true;
  }

  async finish(
    info: CollectionInfo,
    indexes: readonly Metadata[],
    signal: AbortSignal,
  ): Promise<NotReproduced[]> {
    const lost = await buildIndexes(this.#server, info, indexes, signal);
    if (!this.#unvalidated.delete(info.name)) return lost;
    const existing = await lookUp(this.#server, info.name, signal);
    return existing === undefined
      ? lost
      : [...lost, ...(await alignOptions(this.#server, info, existing, signal))];
  }

  async #create(info: CollectionInfo, signal: AbortSignal): Promise<Prepared> {
    const created = this.#way.passesValidators ? info : withoutValidator(info);
    if (created !== info) this.#unvalidated.add(info.name);
    const notReproduced = await createCollection(this.#server, created, signal);
    if (info.kind === "view") return { empty: true, fromEmpty: true, notReproduced };
    const incarnation = incarnationOf(await lookUp(this.#server, info.name, signal));
    await this.#provenance.note(info, incarnation, true, signal);
    return {
      empty: true,
      fromEmpty: true,
      notReproduced,
      incarnation,
    };
  }
}
