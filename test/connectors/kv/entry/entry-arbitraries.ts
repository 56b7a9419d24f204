import fc from "fast-check";
import type { Entry, EntryValue } from "../../../../src/connectors/kv/entry/entry.ts";

/** Texts that are JSON, nearly JSON, or look like it, in every spelling. */
export const anyText: fc.Arbitrary<string> = fc.oneof(
  fc.json({ maxDepth: 4, stringUnit: "binary" }),
  fc
    .tuple(fc.json({ maxDepth: 3 }), fc.constantFrom(1, 3, "\t"))
    .map(([text, indent]) => JSON.stringify(JSON.parse(text), undefined, indent)),
  fc
    .array(
      fc.constantFrom(
        ...'{}[]:," \n-+.0123456789eEtfn\u0001é\u{1f600}\0',
        '"a":',
        '{"a":',
        "true",
        "null",
        "-0",
        "1e400",
        "1.50",
        "12345678901234567890",
        "0.1234567890123456789012345678901234567890",
        '"\\ud800"',
        '"\\u0041\\/"',
        '"\\u0000":',
        '"\u2028"',
      ),
      { maxLength: 9 },
    )
    .map((parts) => parts.join("")),
  fc.string({ unit: "binary" }),
);

const anyBytes: fc.Arbitrary<Uint8Array> = fc.oneof(
  fc.uint8Array({ maxLength: 20 }),
  anyText.map((text) => Buffer.from(text)),
  fc.constantFrom("", "a", "0", "é", "e\u0301", "\0", "\ufeff", "\r\n").map((text) => Buffer.from(text)),
  // Cut within a character, longer than allowed, half a pair.
  fc.constantFrom([0xc3], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xff, 0xfe]).map((bytes) => Buffer.from(bytes)),
);

/** Names with newlines, blanks, glob characters, invalid UTF-8, and of 32 KB. */
const anyKey: fc.Arbitrary<Uint8Array> = fc.oneof(
  { weight: 9, arbitrary: anyBytes },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom("a b\nc", "user:*?[a]{b}\\", "$a.b", "k".repeat(32_768), "__proto__", "_id")
      .map((text) => Buffer.from(text)),
  },
);

const byBytes = (items: readonly Uint8Array[]): Uint8Array[] => [...items].sort(Buffer.compare);

const members = fc
  .uniqueArray(anyBytes, {
    minLength: 1,
    maxLength: 6,
    selector: (bytes) => Buffer.from(bytes).toString("hex"),
  })
  .map(byBytes);

const anyScore = fc
  .oneof(
    fc.double({ noNaN: true }),
    fc.constantFrom(0, 1, -1, 0.1, 2 ** 53, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY),
  )
  .map((score) => score + 0);

const fieldValues = members.chain((fields) =>
  fc
    .array(anyBytes, { minLength: fields.length, maxLength: fields.length })
    .map((values) => fields.map((field, at) => [field, values[at] as Uint8Array] as const)),
);

const idParts = fc.oneof(fc.bigInt(0n, 3n), fc.constantFrom(2n ** 53n, 2n ** 64n - 1n, 1_700_000_000_000n));

const stream = fc
  .uniqueArray(fc.tuple(idParts, fc.bigInt(1n, 2n ** 64n - 1n)), { maxLength: 4, selector: String })
  .chain((ids) => {
    const sorted = ids.sort(([a, b], [c, d]) => (a === c ? Number(b > d) - Number(b < d) : a > c ? 1 : -1));
    const lists = fc.array(fc.array(fc.tuple(anyBytes, anyBytes), { minLength: 1, maxLength: 3 }), {
      minLength: ids.length,
      maxLength: ids.length,
    });
    return lists.map((fields) => ({
      entries: sorted.map((id, at) => ({ id: id.join("-"), fields: fields[at] ?? [] })),
      lastId: `${2n ** 64n - 1n}-${2n ** 64n - 1n}`,
    }));
  });

/** Contents of every type. */
export const anyContent: fc.Arbitrary<EntryValue> = fc.oneof(
  anyBytes.map((value) => ({ type: "string", value }) as const),
  fc.json({ maxDepth: 4 }).map((text) => ({ type: "json", value: Buffer.from(text) }) as const),
  fieldValues.map((value) => ({ type: "hash", value }) as const),
  fc.array(anyBytes, { minLength: 1, maxLength: 6 }).map((value) => ({ type: "list", value }) as const),
  members.map((value) => ({ type: "set", value }) as const),
  members
    .chain((found) =>
      fc
        .array(anyScore, { minLength: found.length, maxLength: found.length })
        .map((scores) => found.map((member, at) => [member, scores[at] as number] as const)),
    )
    .map((value) => ({
      type: "zset" as const,
      value: value.sort(([, a], [, b]) => (a === b ? 0 : a < b ? -1 : 1)),
    })),
  stream.map((value) => ({ type: "stream", value }) as const),
);

export const anyEntry: fc.Arbitrary<Entry> = fc.record({
  key: anyKey,
  content: anyContent,
  expiresAt: fc.option(fc.integer({ min: 1, max: 8_640_000_000_000_000 }), { nil: undefined }),
});
