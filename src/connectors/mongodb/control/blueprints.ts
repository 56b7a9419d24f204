import type { Server } from "../connection/server.ts";
import { listBlueprints, writeBlueprint } from "./control-collection.ts";

/** The blueprints in a target that is being written. What is there is read once: nobody else writes them meanwhile. */
export class BlueprintStore {
  readonly #server: Server;
  #there: Promise<Map<string, string>> | undefined;

  constructor(server: Server) {
    this.#server = server;
  }

  async leave(collection: string, blueprint: string, signal: AbortSignal): Promise<void> {
    this.#there ??= listBlueprints(this.#server, signal);
    const there = await this.#there.catch((error: unknown) => {
      this.#there = undefined;
      throw error;
    });
    if (there.get(collection) === blueprint) return;
    await writeBlueprint(this.#server, collection, blueprint, signal);
    there.set(collection, blueprint);
  }
}
