import { Decimal128, Double, deserialize, EJSON, Int32, Long, ObjectId, serialize } from "bson";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { OPERATORS } from "../../../../src/connectors/mongodb/filter/filter-query.ts";
import { readFilters } from "../../../../src/connectors/mongodb/filter/filters.ts";
import { failureOf, textOf } from "../../../support/configuration-failure.ts";

function filter(json: string): ReadonlyMap<string, unknown> {
  return readFilters([`orders=${json}`]).get("orders") ?? new Map();
}

/** What a server would get, as canonical Extended JSON. */
function onTheWire(json: string): string {
  return EJSON.stringify(deserialize(serialize(filter(json)), { promoteValues: false, bsonRegExp: true }), {
    relaxed: false,
  });
}

describe("--filter", () => {
  test("filters are stored by collection, whose name ends at the first =", () => {
    const filters = readFilters(['a={"x": "y=z"}', "b={}"]);
    expect([...filters.keys()]).toEqual(["a", "b"]);
    expect(filters.get("a")).toEqual(new Map([["x", "y=z"]]));
    expect(filters.get("b")).toEqual(new Map());
  });

  test.each([
    ['{"a":{"$numberInt":"1"}}', '{"a":{"$numberInt":"1"}}'],
    [
      '{"a":1,"b":2147483648,"c":1.5,"d":1.0,"e":-0}',
      '{"a":{"$numberInt":"1"},"b":{"$numberLong":"2147483648"},"c":{"$numberDouble":"1.5"},"d":{"$numberDouble":"1.0"},"e":{"$numberDouble":"-0.0"}}',
    ],
    ['{"a":9007199254740993}', '{"a":{"$numberLong":"9007199254740993"}}'],
    ['{"_id":{"$oid":"65f000000000000000000001"}}', '{"_id":{"$oid":"65f000000000000000000001"}}'],
    [
      '{"a":{"$gte":{"$date":"2026-01-01T00:00:00Z"}}}',
      '{"a":{"$gte":{"$date":{"$numberLong":"1767225600000"}}}}',
    ],
    ['{"a":{"$date":{"$numberLong":"-1"}}}', '{"a":{"$date":{"$numberLong":"-1"}}}'],
    ['{"a":{"$numberDecimal":"1.10"}}', '{"a":{"$numberDecimal":"1.10"}}'],
    [
      '{"a":{"$uuid":"12345678-1234-1234-1234-123456789abc"}}',
      '{"a":{"$binary":{"base64":"EjRWeBI0EjQSNBI0VniavA==","subType":"04"}}}',
    ],
    ['{"a":{"$timestamp":{"t":1,"i":2}}}', '{"a":{"$timestamp":{"t":1,"i":2}}}'],
    [
      '{"a":{"$not":{"$regularExpression":{"pattern":"^x","options":"i"}}}}',
      '{"a":{"$not":{"$regularExpression":{"pattern":"^x","options":"i"}}}}',
    ],
    ['{"a":{"$regex":"^x","$options":"i"}}', '{"a":{"$regex":"^x","$options":"i"}}'],
    ['{"a":{"$in":[null,true,"x",{"$minKey":1}]}}', '{"a":{"$in":[null,true,"x",{"$minKey":1}]}}'],
    [
      '{"$or":[{"a":{"$exists":false}},{"b":{"$type":["string",{"$numberInt":"16"}]}}]}',
      '{"$or":[{"a":{"$exists":false}},{"b":{"$type":["string",{"$numberInt":"16"}]}}]}',
    ],
    [
      '{"a":{"$elemMatch":{"$gt":1,"$lt":2}},"b":{"$elemMatch":{"c":"x","$or":[{"d":"y"}]}}}',
      '{"a":{"$elemMatch":{"$gt":{"$numberInt":"1"},"$lt":{"$numberInt":"2"}}},"b":{"$elemMatch":{"c":"x","$or":[{"d":"y"}]}}}',
    ],
    [
      '{"a":{"$mod":[4,0]},"b":{"$size":2},"c":{"$bitsAllSet":[1,5]},"d":{"$all":["x",{"$elemMatch":{"e":"y"}}]}}',
      '{"a":{"$mod":[{"$numberInt":"4"},{"$numberInt":"0"}]},"b":{"$size":{"$numberInt":"2"}},"c":{"$bitsAllSet":[{"$numberInt":"1"},{"$numberInt":"5"}]},"d":{"$all":["x",{"$elemMatch":{"e":"y"}}]}}',
    ],
  ])("%s reaches the server with its types", (json, expected) => {
    expect(onTheWire(json)).toBe(expected);
  });

  test("keys of a filter keep their order, even those that look like numbers", () => {
    const json = '{"b":{"z":"-","10":"-","2":"-"},"1":"-","a":"-"}';
    const bytes = serialize(filter(json));
    const at = ["b", "z", "10", "2", "1", "a"].map((key) => Buffer.from(bytes).indexOf(`${key}\0`));
    expect(at).toEqual([...at].sort((left, right) => left - right));
    expect(at).not.toContain(-1);
  });

  test("__proto__ and constructor are treated as ordinary keys", () => {
    const found = filter('{"__proto__":{"$gt":1},"constructor":{"prototype":"x"}}');
    expect([...found.keys()]).toEqual(["__proto__", "constructor"]);
    expect(({} as Record<string, unknown>).$gt).toBeUndefined();
    expect(Buffer.from(serialize(found)).includes("__proto__\0")).toBe(true);
  });

  test("values of a filter become BSON types", () => {
    const found = filter(
      '{"a":1,"b":5000000000,"c":0.5,"d":{"$oid":"65f000000000000000000001"},"e":{"$numberDecimal":"1"}}',
    );
    expect([...found.values()].map((value) => value?.constructor)).toEqual([
      Int32,
      Long,
      Double,
      ObjectId,
      Decimal128,
    ]);
  });
});

describe("rejected filters", () => {
  function refusal(value: string): string {
    const failure = failureOf(() => readFilters([value]));
    expect(failure.exit).toBe("usage");
    expect(textOf(failure)).not.toContain("hunter2");
    return textOf(failure);
  }

  test.each([
    ["$where", '{"$where":"hunter2"}'],
    ["$expr", '{"$expr":{"$eq":["$a","hunter2"]}}'],
    ["$function", '{"a":{"$function":{"body":"hunter2"}}}'],
    ["$text", '{"$text":{"$search":"hunter2"}}'],
    ["$near", '{"a":{"$near":[1,2]}}'],
    ["$geoWithin", '{"a":{"$geoWithin":{}}}'],
    ["$jsonSchema", '{"$jsonSchema":{}}'],
    ["$comment", '{"$comment":"hunter2"}'],
    ["$where", '{"$and":[{"$or":[{"$where":"hunter2"}]}]}'],
    ["$where", '{"a":{"$elemMatch":{"$or":[{"$where":"hunter2"}]}}}'],
    ["$where", '{"a":{"$not":{"$where":"hunter2"}}}'],
    ["$expr", '{"a":{"$all":[{"$elemMatch":{"$expr":"hunter2"}}]}}'],
    ["$code", '{"a":{"$code":"hunter2"}}'],
    ["$dbPointer", '{"a":{"$dbPointer":{}}}'],
    ["$ref", '{"a":{"$ref":"x","$id":"hunter2"}}'],
  ])("rejects and names the operator %s in %s", (operator, json) => {
    expect(refusal(`orders=${json}`)).toContain(`--filter orders cannot be used: ${operator} is not allowed`);
  });

  test.each([
    ["an operator where a field is expected", '{"$gt":1}', "$gt belongs under a field"],
    ["a logical operator under a field", '{"a":{"$or":[{"b":1}]}}', "$or cannot be used under"],
    ["a mix of operators and fields", '{"a":{"$gt":1,"b":2}}', "mixed"],
    ["an operator inside a value", '{"a":{"b":{"$gt":"hunter2"}}}', "$gt is not allowed inside a value"],
    ["an operator inside $in", '{"a":{"$in":[{"$gt":1}]}}', "$gt is not allowed inside a value"],
    ["$in without an array", '{"a":{"$in":"hunter2"}}', "$in takes an array"],
    ["an empty $or", '{"$or":[]}', "$or takes a non-empty array"],
    ["$and of something other than objects", '{"$and":[1]}', "a filter must be an object"],
    ["$not of a plain value", '{"a":{"$not":"hunter2"}}', "$not takes"],
    ["$exists of a string", '{"a":{"$exists":"false"}}', "$exists does not take this value"],
    ["$size below zero", '{"a":{"$size":-1}}', "$size does not take this value"],
    ["$mod by zero", '{"a":{"$mod":[0,1]}}', "$mod does not take this value"],
    ["$mod of three numbers", '{"a":{"$mod":[1,1,1]}}', "$mod does not take this value"],
    ["$bitsAllSet below zero", '{"a":{"$bitsAllSet":-1}}', "$bitsAllSet does not take this value"],
    ["$regex of a number", '{"a":{"$regex":1}}', "$regex does not take this value"],
    ["NUL in $regex", '{"a":{"$regex":"a\\u0000"}}', "$regex does not take this value"],
    ["$options but no $regex", '{"a":{"$options":"i"}}', "$options needs $regex"],
    ["unknown $options", '{"a":{"$regex":"x","$options":"hunter2"}}', "$options does not take this value"],
    ["an empty $type", '{"a":{"$type":[]}}', "$type does not take this value"],
    [
      "a regular expression as the operand of $gt",
      '{"a":{"$gt":{"$regularExpression":{"pattern":"x","options":""}}}}',
      "$gt takes no regular",
    ],
    ["an operator other than $elemMatch in $all", '{"a":{"$all":[{"$gt":1}]}}', "$all takes"],
    ["an invalid object id", '{"a":{"$oid":"hunter2"}}', "$oid is not valid Extended JSON"],
    [
      "another key beside a typed value",
      '{"a":{"$oid":"65f000000000000000000001","x":1}}',
      "$oid is not valid Extended JSON",
    ],
    ["an invalid date", '{"a":{"$date":"hunter2"}}', "$date is not valid Extended JSON"],
    [
      "a date beyond JavaScript's",
      '{"a":{"$date":{"$numberLong":"8640000000000001"}}}',
      "$date is not valid Extended JSON",
    ],
    [
      "a Long beyond 64 bits",
      '{"a":{"$numberLong":"9223372036854775808"}}',
      "$numberLong is not valid Extended JSON",
    ],
    ["an Int32 beyond 32 bits", '{"a":{"$numberInt":"2147483648"}}', "$numberInt is not valid Extended JSON"],
    [
      "a decimal that would be rounded",
      `{"a":{"$numberDecimal":"${"1".repeat(40)}"}}`,
      "$numberDecimal is not valid Extended JSON",
    ],
    ["a whole number beyond 64 bits", '{"a":9223372036854775808}', "does not fit in 64 bits"],
    ["a number beyond the range of a Double", '{"a":1e999}', "too large"],
    ["an array in place of an object", "[]", "must be an object"],
    ["a typed value in place of an object", '{"$oid":"65f000000000000000000001"}', "must be an object"],
    ["a string in place of an object", '"hunter2"', "must be an object"],
  ])("rejects a filter with %s", (_what, json, expected) => {
    expect(refusal(`orders=${json}`)).toContain(expected);
  });

  test.each([
    ["", "the end of the text where a value was expected, at character 1"],
    ['{"a":hunter2}', "something else where a value was expected, at character 6"],
    ["{a:1}", "a key in double quotes was expected, at character 2"],
    ["{'a':1}", "a key in double quotes was expected, at character 2"],
    ['{"a" 1}', "a colon was expected, at character 6"],
    ['{"a":1,}', "a key in double quotes was expected, at character 8"],
    ['{"a":1', "the end of the text where a comma or } was expected, at character 7"],
    ['{"a":[1 2]}', "a comma or ] was expected, at character 9"],
    ['{"a":"hunter2}', "an unterminated string or an invalid escape, at character 6"],
    ['{"a":"hunter2\\x"}', "an unterminated string or an invalid escape, at character 6"],
    ['{"a":"\n"}', "an unterminated string or an invalid escape, at character 6"],
    ['{"a":"\\ud800"}', "not valid Unicode, at character 6"],
    ['{"a":01}', "a comma or } was expected, at character 7"],
    ['{"a":1.}', "something else where a digit was expected, at character 8"],
    ['{"a":-', "the end of the text where a digit was expected, at character 7"],
    ['{"a":1}hunter2', "the end was expected, at character 8"],
    ['{"a":1,"a":2}', "a repeated key, at character 8"],
    ['{"a\\u0000":1}', "NUL"],
    [`${'{"a":'.repeat(20)}{}${"}".repeat(20)}`, "more than 20 levels"],
    ["[".repeat(60_000), "more than 20 levels"],
  ])("rejects the filter text %s and says what is wrong with it", (json, expected) => {
    expect(refusal(`orders=${json}`)).toContain(expected);
  });

  test("accepts 20 levels and 64 KiB, and rejects more", () => {
    expect(filter(`${'{"a":'.repeat(19)}{}${"}".repeat(19)}`).size).toBe(1);
    const sized = (length: number): string => `orders={"a":"${"x".repeat(length - 8)}"}`;
    expect(readFilters([sized(64 * 1024)]).size).toBe(1);
    expect(refusal(sized(64 * 1024 + 1))).toContain("longer than 65536 bytes");
  });

  test.each([['{"a":1}'], ["=1"], ["orders"], ['{"a":"x=y"}']])(
    "rejects a filter that does not begin with a collection's name: %s",
    (value) => {
      expect(refusal(value)).toContain("--filter needs a collection's name");
    },
  );

  test("rejects a second filter for the same collection", () => {
    expect(failureOf(() => readFilters(["a={}", "a={}"])).message).toContain("--filter a is given twice");
  });

  test("turns any text into a filter that bson can serialize or a usage error that does not show the text", () => {
    const keys = fc.constantFrom(
      "a",
      "1",
      "__proto__",
      ...OPERATORS,
      "$oid",
      "$date",
      "$numberLong",
      "$where",
      "$regularExpression",
    );
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof(
        { maxDepth: 5 },
        fc.constantFrom(null, true, 0, -1, 1.5, 2 ** 40, "planted-SECRET", "i", "1"),
        fc.array(tie("tree"), { maxLength: 3 }),
        fc.dictionary(keys, tie("tree"), { maxKeys: 3 }),
      ),
    }));
    let accepted = 0;
    fc.assert(
      fc.property(
        fc.oneof(
          tree.map((value) => JSON.stringify(value)),
          fc.string().map((text) => `{"planted-SECRET${text}`),
        ),
        (json) => {
          try {
            serialize(filter(json));
            accepted += 1;
          } catch (error) {
            expect(error).toMatchObject({ exit: "usage" });
            expect(String(error)).not.toContain("planted-SECRET");
          }
        },
      ),
      { numRuns: 3000 },
    );
    expect(accepted).toBeGreaterThan(20);
  });

  test("reads plain JSON as bson's own parser does", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
        if (/"[^"]*\$/.test(JSON.stringify(value)) || /\d{15}|[eE][+-]?\d{2}/.test(JSON.stringify(value)))
          return;
        const json = JSON.stringify({ a: value });
        expect(onTheWire(json)).toBe(
          EJSON.stringify(
            deserialize(serialize(EJSON.parse(json, { relaxed: false })), { promoteValues: false }),
            { relaxed: false },
          ),
        );
      }),
      { numRuns: 500 },
    );
  });
});
