import fc from "fast-check";
import { expect, it } from "vitest";
import { TYPE } from "../../../../src/bson/elements.ts";
import * as bson from "../../../bson/bson-bytes.ts";
import { collectionOf, compare, findings, PADDING, refuseHashes, TIERS } from "../../../support/compared.ts";
import { plant } from "../../../support/data/plant.ts";
import { serverPair } from "../../../support/stores/pair.ts";

const pair = serverPair({}, {}, {});
const LONG = process.env.DUALSYNC_TEST_LONG !== undefined;
/** Comparisons, each of a few collections with one bit altered in each. */
const RUNS = LONG ? 100 : 2;
const COLLECTIONS = 8;
const SEED = Number(process.env.DUALSYNC_TEST_SEED ?? 20);

interface Plant {
  /** Documents of the collection. */
  readonly count: number;
  /** Which of them is altered, in which byte of which value, in which bit. */
  readonly at: number;
  readonly field: number;
  readonly byte: number;
  readonly bit: number;
}

const plants = fc.array(
  fc.record({
    count: fc.integer({ min: 1, max: 1_500 }),
    at: fc.nat(),
    field: fc.nat(),
    byte: fc.nat(),
    bit: fc.integer({ min: 0, max: 7 }),
  }),
  { minLength: COLLECTIONS, maxLength: COLLECTIONS },
);

/** Values of which every bit may be any: every server stores them as they are. */
function values(n: number): (readonly [string, bson.BsonValue])[] {
  return [
    ["int", bson.int32(n)],
    ["long", bson.int64(BigInt(n) << 33n)],
    ["double", bson.double(n / 3)],
    ["decimal", bson.decimal(BigInt(n), -2)],
    ["date", bson.eightBytes(TYPE.date, BigInt(n) * 1_000n)],
    ["id", { type: TYPE.objectId, bytes: Buffer.alloc(12, n) }],
    ["binary", bson.binary(0, Buffer.alloc(100, n))],
    ["text", bson.text(TYPE.string, "a".repeat(50))],
  ];
}

/** Of text the last but one bit at most, so that it stays text; of a binary its content. */
function flipped([name, value]: readonly [string, bson.BsonValue], { byte, bit }: Plant) {
  const bytes = Buffer.from(value.bytes);
  const [skip, rest, mask] =
    name === "text" ? [4, 1, 1] : name === "binary" ? [5, 0, 1 << bit] : [0, 0, 1 << bit];
  const place = skip + (byte % (bytes.length - skip - rest));
  bytes[place] = (bytes[place] ?? 0) ^ mask;
  return [name, { ...value, bytes }] as const;
}

const padding = bson.documentBytes([
  ["_id", bson.int32(-1)],
  ["t", bson.text(TYPE.string, PADDING)],
]);

function documents(one: Plant, alter: boolean): Buffer[] {
  const altered = Array.from({ length: one.count }, (_, n) => {
    const fields = values(n);
    const field = fields[one.field % fields.length];
    const isAltered = alter && n === one.at % one.count && field !== undefined;
    const held = isAltered ? fields.map((value) => (value === field ? flipped(field, one) : value)) : fields;
    return bson.documentBytes([["_id", bson.int32(n)], ...held]);
  });
  return [padding, ...altered];
}

let run = 0;

it.each([TIERS[0], TIERS[1], TIERS[3]])(
  "finds any single flipped bit, and nothing else, when $name",
  {
    timeout: 60_000 + RUNS * 30_000,
  },
  async ({ refusing, tier }) => {
    await fc.assert(
      fc.asyncProperty(plants, async (all) => {
        const database = `bits${++run}`;
        refuseHashes(pair, refusing);
        for (const [n, one] of all.entries()) {
          await plant(pair.source.port, database, `c${n}`, documents(one, false));
          await plant(pair.target.port, database, `c${n}`, documents(one, true));
        }
        const compared = await compare(pair, [], { database });
        await Promise.all([pair.from.db(database).dropDatabase(), pair.to.db(database).dropDatabase()]);
        expect(findings(compared)).toEqual(all.map(({ at, count }) => `changed ${at % count}`).sort());
        expect([compared.code, compared.summary?.complete]).toEqual([1, true]);
        for (const [n, { count }] of all.entries())
          expect(collectionOf(compared, `c${n}`)).toMatchObject({ tier, equal: count, changed: 1 });
      }),
      { numRuns: RUNS, seed: SEED, endOnFailure: !LONG },
    );
  },
);
