import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compareIds } from "../../src/bson/compare-ids.ts";
import { TYPE } from "../../src/bson/elements.ts";
import { idKey } from "../../src/bson/id-key.ts";
import { runs } from "../support/runs.ts";
import type { BsonValue } from "./bson-bytes.ts";
import * as bson from "./bson-bytes.ts";
import { anyId } from "./id-arbitraries.ts";
import { anyNumber } from "./number-arbitraries.ts";

const SEED = 20_260_101;

function compare(a: BsonValue, b: BsonValue): number {
  return Math.sign(compareIds(bson.element(a), bson.element(b)));
}

/** With keys equal exactly when this is 0 (id-key.test.ts), equality is transitive; sorting shows that the rest is. */
function expectTotalOrder(ids: fc.Arbitrary<BsonValue>): void {
  const list = fc.array(ids, { minLength: 2, maxLength: 12, size: "max" });
  fc.assert(
    fc.property(list, (values) => {
      const sorted = values.map(bson.element).sort(compareIds);
      return sorted.every((a, i) =>
        sorted.slice(i).every((b) => {
          const order = Math.sign(compareIds(a, b));
          return order <= 0 && order + Math.sign(compareIds(b, a)) === 0;
        }),
      );
    }),
    { seed: SEED, numRuns: runs(5000) },
  );
}

describe("compareIds", () => {
  it("compares ids of all kinds in a total order", () => expectTotalOrder(anyId));
  it("compares numbers in a total order", () => expectTotalOrder(anyNumber));

  it("compares ids as equal where a server treats them as equal", () => {
    const groups: BsonValue[][] = [
      [bson.int32(1), bson.int64(1n), bson.double(1), bson.decimal(1n, 0), bson.decimal(100n, -2)],
      [bson.int32(0), bson.double(-0), bson.decimal(0n, -2, true), bson.decimalBits((0x6cn << 120n) | 1n)],
      [bson.double(Number.NaN), bson.decimalBits(0x7cn << 120n), bson.decimalBits(0xfen << 120n)],
      [bson.double(Number.POSITIVE_INFINITY), bson.decimalBits(0x78n << 120n)],
      [bson.double(2 ** 63), bson.decimal(2n ** 63n, 0)],
      [bson.double(1e22), bson.decimal(1n, 22)],
      [bson.text(TYPE.string, "s"), bson.text(TYPE.symbol, "s")],
      [bson.object([["a", bson.int32(1)]]), bson.object([["a", bson.double(1)]])],
      [bson.array([bson.int32(1)]), { type: TYPE.array, bytes: bson.documentBytes([["7", bson.int32(1)]]) }],
      [bson.boolean(true), { type: TYPE.boolean, bytes: Buffer.of(2) }],
    ];
    for (const group of groups) {
      for (const a of group) {
        for (const b of group) {
          expect(compare(a, b)).toBe(0);
          expect(idKey(bson.element(a))).toBe(idKey(bson.element(b)));
        }
      }
    }
  });

  it("compares numbers exactly, never through a double", () => {
    const ascending = [
      bson.int64(2n ** 53n),
      bson.decimal(2n ** 53n * 10n + 5n, -1),
      bson.int64(2n ** 53n + 1n),
      bson.double(2 ** 53 + 2),
      bson.int64(2n ** 63n - 1n),
      bson.decimal(2n ** 63n * 10n - 5n, -1),
      bson.double(2 ** 63),
    ];
    expectAscending(ascending);
    expectAscending([bson.decimal(1n, -1), bson.double(0.1), bson.decimal(10n ** 16n + 1n, -17)]);
    expectAscending([
      bson.double(Number.MAX_VALUE),
      bson.decimal(1n, 6111),
      bson.double(Number.POSITIVE_INFINITY),
    ]);
  });

  it("orders text by its UTF-8 bytes", () => {
    expectAscending(
      ["", "a", "a\0", "ab", "b", "\uff5e", "\u{1f600}"].map((content) => bson.text(TYPE.string, content)),
    );
  });

  it("orders binary values by length, then subtype, then bytes", () => {
    expectAscending([
      bson.binary(9, Buffer.of(255)),
      bson.binary(0, Buffer.of(1, 1)),
      bson.binary(0, Buffer.of(1, 2)),
      bson.binary(1, Buffer.of(0, 0)),
    ]);
  });

  it("orders objects by the type of a value before its name, then by size", () => {
    expectAscending([
      bson.object([]),
      bson.object([["b", bson.int32(1)]]),
      bson.object([
        ["b", bson.int32(1)],
        ["a", bson.int32(1)],
      ]),
      bson.object([["a", bson.text(TYPE.string, "x")]]),
    ]);
  });

  it("orders dates as signed and timestamps as unsigned numbers", () => {
    const corners = [-(2n ** 63n), -1n, 0n, 1n, 2n ** 63n - 1n];
    expectAscending(corners.map((value) => bson.eightBytes(TYPE.date, value)));
    expectAscending(
      [0n, 1n, 2n ** 63n - 1n, -(2n ** 63n), -1n].map((value) => bson.eightBytes(TYPE.timestamp, value)),
    );
  });

  it("throws RangeError for ids that are not valid BSON", () => {
    const unknown = Uint8Array.of(0x20, 1);
    expect(() => compareIds(unknown, unknown)).toThrow(RangeError);
    expect(() => compareIds(new Uint8Array(), new Uint8Array())).toThrow(RangeError);
    const broken = bson.element(bson.object([["a", bson.int32(1)]])).slice(0, -3);
    expect(() => compareIds(broken, broken)).toThrow(RangeError);
  });
});

function expectAscending(values: readonly BsonValue[]): void {
  for (const [i, a] of values.entries()) {
    for (const b of values.slice(i + 1)) {
      expect(compare(a, b)).toBe(-1);
      expect(compare(b, a)).toBe(1);
    }
  }
}
