import { expect, it } from "vitest";
import { choose } from "../../../src/commands/restore/chosen-documents.ts";
import type { CollectionInfo } from "../../../src/connectors/collection.ts";
import type { Reader } from "../../../src/connectors/contract.ts";
import type { DocumentId } from "../../../src/model/document.ts";

/** Documents that a person names, very many of them, in very many collections. */
const COLLECTIONS = 1_000;
const NAMES = 50_000;

function collection(name: string): CollectionInfo {
  return {
    name,
    kind: "collection",
    type: "collection",
    documents: 1,
    bytes: 1,
    ordered: true,
    options: new Map(),
  };
}

/** Holds each document with an even number, and counts how many are asked for at once. */
function source(asked: number[]): Reader {
  const find = async (_: string, ids: readonly DocumentId[]) => {
    asked.push(ids.length);
    const even = ids.filter(({ element }) => ((element[1] ?? 0) & 1) === 0);
    return new Map(even.map((id) => [id.key, { id, bytes: id.element }]));
  };
  return { lookup: { find, canQuery: () => true } } as unknown as Reader;
}

it("many named documents in many collections are looked up a few at once, and those that the copy lacks are named", async () => {
  const jobs = Array.from({ length: COLLECTIONS }, (_, n) => {
    const [from, to] = [collection(`shop/c${n}`), collection(`shop/c${n}`)];
    return { from, to, doubts: [] };
  });
  const names = Array.from({ length: NAMES }, (_, n) => `document shop/c${n % COLLECTIONS}/${n}`);
  const asked: number[] = [];
  const { jobs: chosen, lostDocuments } = await choose(jobs, names, source(asked), AbortSignal.any([]));
  expect(chosen.reduce((sum, { ids = [] }) => sum + ids.length, 0)).toBe(NAMES / 2);
  expect(lostDocuments).toHaveLength(NAMES / 2);
  expect(lostDocuments[0]).toEqual({
    key: "document shop/c1/1",
    reason: "the copy does not have it",
  });
  expect(Math.max(...asked)).toBeLessThanOrEqual(100);
});
