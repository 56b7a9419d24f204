import type { Server } from "../connection/server.ts";
import { checksumWriter, listChecksums, removeChecksums } from "./control-collection.ts";

/** The checksums of a target that is being written: they are removed before they may become wrong. */
export class ChecksumStore {
  readonly #server: Server;
  readonly #writer: ReturnType<typeof checksumWriter>;
  readonly #there: Set<string>;
  /** Being removed: whoever else is about to write waits for that. */
  readonly #breaking = new Map<string, Promise<void>>();

  private constructor(server: Server, there: readonly string[]) {
    this.#server = server;
    this.#writer = checksumWriter(server);
    this.#there = new Set(there);
  }

  static async open(server: Server, signal: AbortSignal): Promise<ChecksumStore> {
    return new ChecksumStore(server, await listChecksums(server, signal));
  }

  async break(collection: string, signal: AbortSignal): Promise<void> {
    if (!this.#there.has(collection)) return;
    const breaking = this.#breaking.get(collection) ?? this.#remove(collection, signal);
    this.#breaking.set(collection, breaking);
    await breaking;
  }

  /** Not while anything is written to the collection. */
  async leave(collection: string, bytes: Uint8Array, signal: AbortSignal): Promise<void> {
    this.#there.add(collection); // also when nobody knows whether it arrived
    await this.#writer.ask({ collection, bytes }, signal);
  }

  async #remove(collection: string, signal: AbortSignal): Promise<void> {
    try {
      await removeChecksums(this.#server, collection, signal);
      this.#there.delete(collection);
    } finally {
      this.#breaking.delete(collection);
    }
  }
}
