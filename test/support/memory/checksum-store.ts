import type { WriteSession } from "../../../src/connectors/contract.ts";
import { type Checksums, checksumsFromBytes } from "../../../src/core/checksums/checksums.ts";
import type { Batch, DocumentId } from "../../../src/model/document.ts";
import { type MemoryMode, MemoryStore } from "./memory-store.ts";

/** A store that keeps checksums, which are gone with the first write, and may change under whoever reads them. */
export class ChecksumMemoryStore extends MemoryStore {
  left: Uint8Array | undefined;
  onRead: () => void = () => undefined;
  readonly checksums = {
    read: async (): Promise<Uint8Array | undefined> => {
      this.onRead();
      return this.left;
    },
  };

  override get session(): WriteSession {
    const leave = async (_: string, bytes: Uint8Array): Promise<void> => {
      this.left = bytes;
    };
    return { ...super.session, checksums: { leave } };
  }

  override async write(name: string, batch: Batch, mode: MemoryMode, signal: AbortSignal) {
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
