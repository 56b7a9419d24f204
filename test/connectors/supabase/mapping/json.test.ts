import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { jsonText } from "../../../../src/connectors/supabase/mapping/to-row/json-text.ts";
import { JsonNumber, type JsonValue, readJson, TooDeep } from "../../../../src/json/json-reader.ts";
import { runs } from "../../../support/runs.ts";

/** What `JSON.parse` makes of the same text. */
function plain(value: JsonValue): unknown {
  if (value instanceof JsonNumber) return Number(value.text);
  if (value instanceof Map) return Object.fromEntries([...value].map(([name, part]) => [name, plain(part)]));
  return Array.isArray(value) ? value.map(plain) : value;
}

function parsed(text: string): unknown {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return "refused";
  }
}

function read(text: string): unknown {
  try {
    return { value: plain(readJson(text, 50)) };
  } catch (error) {
    expect(error).toBeInstanceOf(RangeError);
    return "refused";
  }
}

describe("JSON", () => {
  it("reads any JSON as JSON.parse does", () => {
    fc.assert(
      fc.property(
        fc.json({ maxDepth: 6, stringUnit: "binary" }),
        fc.constantFrom(0, 1, "\t"),
        (text, indent) => {
          const spaced = JSON.stringify(JSON.parse(text), undefined, indent);
          expect(read(spaced)).toStrictEqual(parsed(spaced));
        },
      ),
    );
  });

  it("accepts or rejects damaged JSON as JSON.parse does", () => {
    const pieces = fc.array(
      fc.constantFrom(
        ...'{}[]:,"\\ \n\t\u0001-+.0123456789eEtrufalsn/b\u00e9\ud800',
        "\\u00e9",
        "true",
        "\\ud83d\\ude00",
      ),
      { maxLength: 12 },
    );
    fc.assert(
      fc.property(fc.json({ maxDepth: 3 }), fc.nat(), fc.nat({ max: 2 }), pieces, (text, at, lost, added) => {
        const place = at % (text.length + 1);
        const broken = text.slice(0, place) + added.join("") + text.slice(place + lost);
        expect(read(broken)).toStrictEqual(parsed(broken));
      }),
      { numRuns: runs(3000) },
    );
  });

  it("rejects JSON that is cut off anywhere", () => {
    const text = '[{"a":[1.5e3,"x\\u00e9\\n",true,null,{"b":{}}]}]';
    for (let end = 0; end < text.length; end++) expect(read(text.slice(0, end))).toBe("refused");
  });

  it("keeps all digits of numbers", () => {
    const text = "[9007199254740993,-0,1.50,0.10,1E+2,12345678901234567890.123456789012345678901]";
    expect(jsonText(readJson(text, 5))).toBe(text);
  });

  it("keeps __proto__ as an ordinary name, and the last of two values under one name", () => {
    expect(jsonText(readJson('{"a":1,"__proto__":{"x":1},"a":2,"constructor":3}', 5))).toBe(
      '{"a":2,"__proto__":{"x":1},"constructor":3}',
    );
  });

  it("rejects JSON that is nested too deeply before the stack overflows", () => {
    expect(() => readJson("[".repeat(1_000_000), 90)).toThrow(TooDeep);
    expect(() => readJson('{"a":'.repeat(1_000_000), 90)).toThrow(TooDeep);
    expect(readJson("[".repeat(90) + "]".repeat(90), 90)).toBeDefined();
  });

  it("writes jsonb with a space after commas and colons", () => {
    expect(jsonText(readJson('{"a":[1,2],"b":{}}', 5), "jsonb")).toBe('{"a": [1, 2], "b": {}}');
  });
});
