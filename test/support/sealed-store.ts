import type { WriteMode } from "../../src/connectors/connector.ts";
import { type Seal, sealFromBytes } from "../../src/core/seal/seal.ts";
import type { Batch, DocumentId } from "../../src/document.ts";
import { MemoryStore } from "./memory-store.ts";

/** A store that keeps a seal, which is gone with the first write, and may change under whoever reads it. */
export class SealedStore extends MemoryStore {
  left: Uint8Array | undefined;
  onSeal: () => void = () => undefined;

  async leaveSeal(_: string, bytes: Uint8Array): Promise<void> {
    this.left = bytes;
  }

  async seal(): Promise<Uint8Array | undefined> {
    this.onSeal();
    return this.left;
  }

  override async write(name: string, batch: Batch, mode: WriteMode, signal: AbortSignal) {
    this.left = undefined;
    return await super.write(name, batch, mode, signal);
  }

  override async remove(name: string, ids: readonly DocumentId[], signal: AbortSignal): Promise<number> {
    this.left = undefined;
    return await super.remove(name, ids, signal);
  }

  get stretches(): Seal["stretches"] {
    return this.left === undefined ? [] : (sealFromBytes(this.left)?.stretches ?? []);
  }
}
