import { expect, it } from "vitest";
import { candidateOf } from "../../../src/core/compare/candidate.ts";
import { batchOf } from "../../support/data/documents.ts";

it("a candidate keeps none of the documents that it stands for in memory", () => {
  const batch = batchOf({ _id: "a", text: "x".repeat(100_000) }, { _id: "b" });
  for (const one of batch.docs()) {
    const { id } = candidateOf(one, undefined);
    expect(id.element).toEqual(Uint8Array.from(one.id.element));
    expect(id.element.buffer.byteLength).toBeLessThan(100);
  }
});
