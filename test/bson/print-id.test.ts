import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { TYPE } from "../../src/bson/elements.ts";
import { idKey } from "../../src/bson/id-key.ts";
import { printId } from "../../src/bson/print-id.ts";
import { runs } from "../support/runs.ts";
import type { BsonValue } from "./bson-bytes.ts";
import * as bson from "./bson-bytes.ts";
import { anyId } from "./id-arbitraries.ts";

const SEED = 20_260_105;

const string = (content: string | Buffer) => bson.text(TYPE.string, content);

const PRINTED: readonly (readonly [BsonValue, string])[] = [
  [bson.int32(17), "17"],
  [bson.int64(17n), '{"$numberLong":"17"}'],
  [bson.double(17), '{"$numberDouble":"17.0"}'],
  [bson.decimal(1700n, -2), '{"$numberDecimal":"17.00"}'],
  [string("17"), '"17"'],
  [string("0x11"), '"0x11"'],
  [string("order:2024/17"), "order:2024/17"],
  [string("a@b.example"), "a@b.example"],
  [string("a b"), '"a b"'],
  [string(""), '""'],
  [string("true"), '"true"'],
  [string("0123456789abcdef01234567"), '"0123456789abcdef01234567"'],
  [string("\u001b[2J\u0085\u202e\u{1f600}"), '"\\u001b[2J\\u0085\\u202e\u{1f600}"'],
  [string(Buffer.of(0xff)), "string 0x0202000000ff00"],
  [
    { type: TYPE.objectId, bytes: Buffer.from("0123456789abcdef01234567", "hex") },
    "0123456789abcdef01234567",
  ],
  [bson.boolean(true), "true"],
  [bson.bare(TYPE.null), "null"],
  [bson.bare(TYPE.maxKey), '{"$maxKey":1}'],
  [bson.eightBytes(TYPE.date, 1_714_521_600_000n), '{"$date":"2024-05-01T00:00:00Z"}'],
  [bson.eightBytes(TYPE.date, -1n), '{"$date":{"$numberLong":"-1"}}'],
  [bson.eightBytes(TYPE.date, 2n ** 62n), "date 0x090000000000000040"],
  [bson.binary(4, Buffer.alloc(16, 0xab)), '{"$uuid":"abababab-abab-abab-abab-abababababab"}'],
  [bson.binary(0, Buffer.from("hi")), '{"$binary":{"base64":"aGk=","subType":"00"}}'],
  [
    bson.object([
      ["shop", string("a b")],
      ["2", bson.int32(1)],
      ["1", bson.array([bson.int64(1n)])],
    ]),
    '{"shop":"a b","2":1,"1":[{"$numberLong":"1"}]}',
  ],
  [bson.object([["\ufeffa", bson.int32(1)]]), '{"\\ufeffa":1}'],
  [
    bson.object([["a", { type: TYPE.array, bytes: bson.documentBytes([["7", bson.int32(1)]]) }]]),
    "object 0x03140000000461000c000000103700010000000000",
  ],
  [bson.object([["$oid", string("x")]]), "object 0x031100000002246f69640002000000780000"],
  [bson.object([[Buffer.of(0xff), bson.int32(1)]]), "object 0x030c00000010ff000100000000"],
];

describe("printId", () => {
  it.each(PRINTED.map(([value, printed]) => [printed, value] as const))(
    "prints an id as %s",
    (printed, value) => {
      expect(printId(bson.element(value))).toBe(printed);
    },
  );

  it("prints different ids differently, each on one short line", () => {
    fc.assert(
      fc.property(fc.array(anyId, { maxLength: 30, size: "max" }), (values) => {
        const ids = values.map(bson.element);
        const printed = ids.map(printId);
        for (const line of printed) expect(line).toMatch(/^[^\p{Cc}]{1,200}$/u);
        // Equal ids may print differently (17 and 17.0), different ones must not print alike.
        return printed.every((line, i) => {
          const same = printed.indexOf(line);
          return same === i || idKey(ids[same] ?? Buffer.alloc(0)) === idKey(ids[i] ?? Buffer.alloc(0));
        });
      }),
      { seed: SEED, numRuns: runs(1000) },
    );
  });

  it("truncates long ids and keeps them distinguishable", () => {
    for (const start of ["", "a"]) {
      const long = start + "\u{1f600}".repeat(5000);
      const [one = "", other = ""] = [`${long}b`, `${long}c`].map((content) =>
        printId(bson.element(string(content))),
      );
      expect(one).toMatch(/^"a?(\u{1f600})+… sha256:[0-9a-f]{16}$/u);
      expect(one.length).toBeGreaterThan(190);
      expect(one.length).toBeLessThanOrEqual(200);
      expect(one).not.toBe(other);
    }
  });

  it("prints any bytes without throwing, in at most 200 characters", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => printId(bytes).length <= 200),
      { seed: SEED, numRuns: runs(5000) },
    );
    fc.assert(
      fc.property(anyId, fc.nat(), (value, cut) => {
        const id = bson.element(value);
        return printId(id.subarray(0, cut % id.length)).length <= 200;
      }),
      { seed: SEED, numRuns: runs(2000) },
    );
    expect(printId(new Uint8Array())).toBe("unreadable 0x");
    expect(printId(bson.element(bson.int32(17)).subarray(0, 3))).toBe("int32 0x101100");
    let deep = bson.object([]);
    for (let level = 0; level < 20_000; level++) deep = bson.object([["a", deep]]);
    expect(printId(bson.element(deep))).toMatch(/^object 0x/);
  });
});
