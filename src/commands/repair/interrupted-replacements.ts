import { createHash, hash } from "node:crypto";
import { DocumentId } from "../../model/document.ts";
import { DualsyncError } from "../../model/errors.ts";
import type { UndoMark } from "../../state/undo/undo-format.ts";
import { runsOf } from "../../state/undo/undo-list.ts";
import { UndoReader } from "../../state/undo/undo-reader.ts";

/** Of more nothing is remembered: they are named as conflicts. */
const MOST = 200_000;

/** A replacement of a document, as a plan names it and as a journal has it. */
export interface Replacement {
  readonly collection: { readonly name: string; readonly uid?: string | undefined };
  readonly id: DocumentId;
  /** SHA-256 of what there was and of what was to be, in hex. */
  readonly before: string;
  readonly after: string;
}

/**
 * What repairs of this target that did not finish were working on. A document that cannot be replaced in its
 * place is taken out and put in: one that is gone may be gone by such a run, and nobody else.
 */
export class InterruptedReplacements {
  readonly #known = new Set<string>();

  /** By the journals in this folder; one that cannot be read is ignored. */
  static async of(cwd: string, target: string): Promise<InterruptedReplacements> {
    const taken = new InterruptedReplacements();
    for (const run of await runsOf(cwd)) {
      try {
        const head = await new UndoReader(cwd, run).head();
        if (head?.command === "repair" && head.target === target) await taken.#read(new UndoReader(cwd, run));
      } catch (error) {
        if (!(error instanceof DualsyncError)) throw error;
      }
    }
    return taken;
  }

  has(replacement: Replacement): boolean {
    return this.#known.size > 0 && this.#known.has(keyOf(replacement));
  }

  async #read(reader: UndoReader): Promise<void> {
    const marks: UndoMark[] = [];
    const keys: string[] = [];
    for await (const { collection, entries } of reader.entries((mark) => marks.push(mark))) {
      for (const { id, before, after } of entries) {
        if (before === undefined || after === undefined || this.#known.size + keys.length >= MOST) continue;
        const made = Buffer.from(after.sha256).toString("hex");
        const was = hash("sha256", before);
        keys.push(keyOf({ collection, id: new DocumentId(id), before: was, after: made }));
      }
    }
    // A mark says that it finished, or is being undone.
    if (marks.length === 0) for (const key of keys) this.#known.add(key);
  }
}

function keyOf({ collection: { name, uid }, id, before, after }: Replacement): string {
  const parts = JSON.stringify([name, uid, id.key, before, after]);
  return createHash("sha256").update(parts).digest("base64");
}
