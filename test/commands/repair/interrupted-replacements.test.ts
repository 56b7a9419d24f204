import { createHash } from "node:crypto";
import { expect, it } from "vitest";
import { InterruptedReplacements } from "../../../src/commands/repair/interrupted-replacements.ts";
import { UndoJournal } from "../../../src/state/undo/undo-journal.ts";
import { workFolder } from "../../state/state-folder.ts";
import { doc } from "../../support/data/documents.ts";

const hashOf = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest();
const [before, after] = [doc({ _id: 1, n: 1 }), doc({ _id: 1, n: 2 })];
const collection = { name: "orders", uid: "i" };

/** Whether a document that is missing from the target is known to have been removed by this one run. */
async function isKnown(more: { command?: string; target?: string; complete?: boolean } = {}) {
  const { command = "repair", target = "host/copy", complete = false } = more;
  const cwd = workFolder();
  const head = { run: "0a1b2c3d", command, target, source: "host/shop", started: new Date() };
  const journal = new UndoJournal(cwd, head);
  const made = { sha256: hashOf(after.bytes), bytes: after.bytes.length };
  await journal.save(collection, [{ id: before.id.element, before: before.bytes, after: made }]);
  if (complete) await journal.complete();
  await journal.close();
  const hex = ({ bytes }: typeof before) => hashOf(bytes).toString("hex");
  const interrupted = await InterruptedReplacements.of(cwd, "host/copy");
  return interrupted.has({ collection, id: before.id, before: hex(before), after: hex(after) });
}

it("only an interrupted repair of this target may have removed a document that it was replacing", async () => {
  expect(await isKnown()).toBe(true);
  expect(await isKnown({ complete: true })).toBe(false);
  expect(await isKnown({ command: "duplicate" })).toBe(false);
  expect(await isKnown({ target: "host/other" })).toBe(false);
});
