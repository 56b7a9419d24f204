import type { WriteMode } from "../../src/connectors/contract.ts";
import { type Checksums, checksumsFromBytes } from "../../src/core/checksums/checksums.ts";
import type { Batch, DocumentId } from "../../src/model/document.ts";
import { MemoryStore } from "./memory-store.ts";

/** A store that keeps a seal, which is gone with the first write, and may change under whoever reads it. */
export class ChecksumMemoryStore extends MemoryStore {
  left: Uint8Array | undefined;
  onSeal: () => void = () => undefined;

  async leaveChecksums(_: string, bytes: Uint8Array): Promise<void> {
    this.left = bytes;
  }

  async checksums(): Promise<Uint8Array | undefined> {
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

  get segments(): Checksums["segments"] {
    return this.left === undefined ? [] : (checksumsFromBytes(this.left)?.segments ?? []);
  }
}
