import { expect, it } from "vitest";
import type { CollectionInfo } from "../../../src/connectors/collection.ts";
import { expiredOn } from "../../../src/core/compare/expired.ts";
import { doc } from "../../support/data/documents.ts";
import { memoryDiff } from "../../support/memory/memory-diff.ts";
import { MemoryStore } from "../../support/memory/memory-store.ts";

const document = doc({ _id: 1 });
const due = () => true;
const kept = () => false;

it("a document that only the source holds has expired only where both the source and the target delete it", () => {
  const expired = (source: () => boolean, target: () => boolean): boolean =>
    expiredOn({ isDue: { source, target }, now: () => new Date() }, document, undefined);
  expect(expired(due, kept)).toBe(false);
  expect(expired(kept, due)).toBe(false);
  expect(expired(due, due)).toBe(true);
});

it("a document that only the target holds has expired where the source deletes it", () => {
  const expired = (source: () => boolean, target: () => boolean): boolean =>
    expiredOn({ isDue: { source, target }, now: () => new Date() }, undefined, document);
  expect(expired(due, kept)).toBe(true);
  expect(expired(kept, due)).toBe(false);
});

it("a document that is due in the source is reported as missing when the target's own collection does not delete it", async () => {
  const source = new MemoryStore([document], { isDue: due });
  const target = Object.assign(new MemoryStore([]), {
    expiry: { of: async ({ uid }: CollectionInfo) => (uid === "the target's" ? kept : due) },
  });
  const { differences } = await memoryDiff({ source, target });
  expect(differences).toMatchObject([{ kind: "missing", id: "1" }]);
});
