import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Framing } from "../../../../src/connectors/mongodb/writing/framing.ts";

function message(length: number, kind = 2013, body = length - 16): Buffer {
  const bytes = Buffer.alloc(16 + Math.max(0, body));
  bytes.writeInt32LE(length, 0);
  bytes.writeInt32LE(kind, 12);
  return bytes;
}

/** What is found first when the bytes come in pieces that end at these places. */
function verdict(bytes: Buffer, cuts: readonly number[], mayCompress = false): string | undefined {
  const framing = new Framing();
  const places = [0, ...[...cuts].map((cut) => cut % bytes.length).sort((a, b) => a - b), bytes.length];
  for (let i = 1; i < places.length; i++) {
    const found = framing.check(bytes.subarray(places[i - 1], places[i]), mayCompress);
    if (found !== undefined) return found;
  }
  return undefined;
}

const cuts = fc.array(fc.nat(), { maxLength: 12 });
const good = fc.array(fc.integer({ min: 16, max: 200 }), { minLength: 1, maxLength: 8 });

describe("framing of replies", () => {
  it("accepts valid frames, however they are split", () => {
    fc.assert(
      fc.property(good, cuts, (lengths, places) => {
        const bytes = Buffer.concat(lengths.map((length) => message(length)));
        expect(verdict(bytes, places)).toBeUndefined();
      }),
    );
  });

  it("finds a frame of an impossible length after valid ones, however they are split", () => {
    const impossible = fc.oneof(
      fc.integer({ max: 15, min: -(2 ** 31) }),
      fc.integer({ min: 2 ** 26 + 1, max: 2 ** 31 - 1 }),
    );
    fc.assert(
      fc.property(good, impossible, cuts, (lengths, length, places) => {
        const bytes = Buffer.concat([...lengths.map((each) => message(each)), message(length, 2013, 9)]);
        expect(verdict(bytes, places)).toContain(String(length));
      }),
    );
  });

  it("accepts compressed frames only where compression was agreed on", () => {
    const bytes = message(40, 2012);
    expect(verdict(bytes, [14], true)).toBeUndefined();
    expect(verdict(bytes, [14], false)).toMatch(/compressed unasked/);
  });
});
