import { BSONRegExp, Double, Int32, Long } from "bson";
import { expect, it } from "vitest";
import { definitionOf } from "../../../src/connectors/archive/dump/definition.ts";
import { readMetadataJson, writeMetadataJson } from "../../../src/connectors/archive/metadata-json.ts";

it("what is written is read back with types and order, keys that look like numbers included", () => {
  const metadata = {
    name: "a b",
    type: "collection",
    uuid: "0d23d56f-f3e6-4007-995a-cb7e775a5bf3",
    options: new Map<string, unknown>([
      ["size", Long.fromNumber(5)],
      ["x", new BSONRegExp("^a", "i")],
      ["d", new Date(1)],
    ]),
    indexes: [
      new Map<string, unknown>([
        ["v", new Int32(2)],
        [
          "key",
          new Map<string, unknown>([
            ["b", new Int32(1)],
            ["1", new Double(-1)],
            ["0", "text"],
          ]),
        ],
        ["name", "i"],
      ]),
    ],
  };
  const read = readMetadataJson(writeMetadataJson(metadata));
  expect(read).toEqual(metadata);
  const key = read.indexes[0]?.get("key") as Map<string, unknown>;
  expect([...key.keys()]).toEqual(["b", "1", "0"]);
});

function indexes(text: string) {
  return definitionOf("c", readMetadataJson(`{"options":{},"indexes":${text}}`));
}

it("an index of an old version is built without what no server takes any more", () => {
  const { indexes: built, altered } = indexes(
    '[{"v":0,"key":{"a":1},"name":"a_1","ns":"d.c","background":true,"dropDups":true,"safe":null},{"v":1,"key":{"_id":1},"name":"_id_"}]',
  );
  expect(built).toEqual([
    new Map<string, unknown>([
      ["v", new Int32(2)],
      ["key", new Map([["a", new Int32(1)]])],
      ["name", "a_1"],
    ]),
  ]);
  expect(altered).toEqual([]);
});

it.each(["NaN", '{"$numberDouble":"NaN"}', '"3600"', "-5", "true", "null", '{"$numberLong":"99999999999"}'])(
  "nothing expires by an expireAfterSeconds of %s",
  (seconds) => {
    const { indexes: built, altered } = indexes(
      `[{"key":{"a":1},"name":"a_1","expireAfterSeconds":${seconds}}]`,
    );
    expect(built[0]?.has("expireAfterSeconds")).toBe(false);
    expect(altered.map(({ key }) => key)).toEqual(["index c/a_1"]);
  },
);

it.each([
  ["true", 1],
  ['"1"', 1],
  ["0", 1],
  ['""', 1],
  ['"-1"', -1],
  ["{}", undefined],
  ['"vectors"', undefined],
  ["null", undefined],
])("a key with the direction %s is built as %s, and named", (direction, expected) => {
  const { indexes: built, altered } = indexes(`[{"key":{"a":${direction}},"name":"i"}]`);
  const key = built[0]?.get("key") as Map<string, Int32> | undefined;
  expect(key?.get("a")?.value).toBe(expected);
  expect(altered.map((one) => one.key)).toEqual(["index c/i"]);
});

it("options of other products are left out and named", () => {
  const { indexes: built, altered } = indexes('[{"key":{"a":1},"name":"i","enableLargeIndexKeys":true}]');
  expect([...(built[0]?.keys() ?? [])]).toEqual(["key", "name"]);
  expect(altered[0]?.reason).toContain("enableLargeIndexKeys");
});

it.each([
  "[1]",
  "{",
  '{"options":3}',
  '{"indexes":{}}',
  '{"indexes":[1]}',
  '{"options":{"a":{"$oid":"secret"}}}',
])("%s is refused without being repeated", (text) => {
  expect(() => readMetadataJson(text)).toThrow(RangeError);
  expect(() => readMetadataJson(text)).not.toThrow(/secret/);
});
