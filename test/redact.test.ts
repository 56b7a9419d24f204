import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Redactor, safeText } from "../src/redact/redact.ts";
import { runs } from "./support/runs.ts";

const JWT = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJyb2xlIjoic2VydmljZV9yb2xlIn0.c2lnbmF0dXJl-_x";

function redactorOf(...secrets: string[]): Redactor {
  const redactor = new Redactor();
  for (const secret of secrets) redactor.add(secret);
  return redactor;
}

/** No asterisks, which the mask itself is made of, and nothing too short to be searched for. */
const secrets = fc
  .string({ unit: "grapheme", minLength: 4, maxLength: 24 })
  .filter((text) => !text.includes("*") && /[^\s]/.test(text));
const around = fc.string({ unit: "grapheme", maxLength: 12 }).filter((text) => !text.includes("*"));

const ENCODINGS: Readonly<Record<string, (secret: string) => string>> = {
  raw: (secret) => secret,
  "percent-encoded": encodeURIComponent,
  "percent-encoded in small letters": (secret) =>
    encodeURIComponent(secret).replace(/%../g, (code) => code.toLowerCase()),
  "percent-encoded in every byte": (secret) =>
    [...Buffer.from(secret)].map((byte) => `%${byte.toString(16).padStart(2, "0")}`).join(""),
  "percent-encoded twice": (secret) => encodeURIComponent(encodeURIComponent(secret)),
  "percent-encoded, in base64": (secret) => Buffer.from(encodeURIComponent(secret)).toString("base64"),
  "encoded as a form": (secret) => new URLSearchParams([["", secret]]).toString().slice(1),
  "inside JSON": (secret) => JSON.stringify(secret).slice(1, -1),
  base64: (secret) => Buffer.from(secret).toString("base64"),
  "base64 for addresses": (secret) => Buffer.from(secret).toString("base64url"),
};

describe("known secrets", () => {
  test.each(Object.entries(ENCODINGS))("hides a known secret in a text: %s", (_name, encode) => {
    fc.assert(
      fc.property(secrets, around, around, (secret, before, after) => {
        const encoded = encode(secret);
        expect(redactorOf(secret).redact(before + encoded + after)).not.toContain(encoded);
      }),
      { numRuns: runs(500) },
    );
  });

  test("hides a known secret inside a longer base64 text, wherever it begins", () => {
    fc.assert(
      fc.property(secrets, around, around, (secret, before, after) => {
        const text = Buffer.from(before + secret + after).toString("base64");
        const left = redactorOf(secret).redact(text);
        expect(left).toContain("***");
        for (const piece of left.split("***")) {
          for (const skip of [0, 1, 2, 3])
            expect(Buffer.from(piece.slice(skip), "base64").toString()).not.toContain(secret);
        }
      }),
      { numRuns: runs(500) },
    );
  });

  test("hides every occurrence of a secret, including overlapping ones and overlapping secrets", () => {
    expect(redactorOf("abab1").redact("abab1 abab1abab1")).toBe("*** ***");
    expect(redactorOf("aXaXa").redact("-aXaXaXa-")).toBe("-***-");
    expect(redactorOf("abcd", "bcdefgh").redact("-abcdefgh-")).toBe("-***-");
    expect(redactorOf("bcdefgh", "abcd").redact("abcdefgh")).toBe("***");
  });

  test("takes characters with a meaning in regular expressions literally", () => {
    const secret = "$&(.+)*[^a-z]\\d|{2}?/";
    expect(redactorOf(secret).redact(`x${secret}y abcdefgh`)).toBe("x***y abcdefgh");
  });

  test("hides the parts of an address that is a known secret, however malformed it is", () => {
    const redactor = redactorOf("mongodb://user:my pass@w/rd#1@host/db");
    expect(redactor.redact("it was my pass@w/rd#1, yes")).toBe("it was ***, yes");
    expect(redactor.redact("mongodb://user:my pass@w/rd#1@host/db")).not.toContain("rd#1");
    expect(redactorOf("mongodb://u:p%40ssword@h").redact("p@ssword")).toBe("***");
  });

  test("does not search for secrets that are too short to be distinguished from words", () => {
    expect(redactorOf("", "a", "abc").redact("a cab abc")).toBe("a cab abc");
    expect(redactorOf("abc").redact("mongodb://u:abc@h")).toBe("mongodb://***@h");
  });
});

describe("secrets that were not announced", () => {
  test.each([
    ["mongodb://u:hunter2@h/db?x=1", "mongodb://***@h/db?x=1"],
    ["(mongodb+srv://u:hunter2@h.example.net/db)", "(mongodb+srv://***@h.example.net/db)"],
    ["postgresql://hunter2@h", "postgresql://***@h"],
    ["rediss://default:hunter2@h:1 and https://a:hunter2@b/", "rediss://***@h:1 and https://***@b/"],
    ["mongodb://u:hun@ter2@h", "mongodb://***@h"],
    ["mongodb://u:hun/ter2?#@h", "mongodb://***@h"],
    ["mongodb://it's:hunter2'@h", "mongodb://***@h"],
    ["https://h/?apikey=hunter2&x=1", "https://h/?apikey=***&x=1"],
    ["?api_key=hunter2", "?api_key=***"],
    ["?access_token=hunter2&y", "?access_token=***&y"],
    [
      "proxyPassword=hunter2&tlsCertificateKeyFilePassword=hunter2",
      "proxyPassword=***&tlsCertificateKeyFilePassword=***",
    ],
    ["AWS_SESSION_TOKEN:hunter2", "AWS_SESSION_TOKEN:***"],
    ["KV_REST_API_TOKEN=hunter2", "KV_REST_API_TOKEN=***"],
    ["client_secret = hunter2", "client_secret = ***"],
    ["SERVICE_ROLE_KEY=hunter2", "SERVICE_ROLE_KEY=***"],
    ["Authorization: Bearer hunter2", "Authorization: Bearer ***"],
    ["authorization: Basic aHVudGVyMg==", "authorization: Basic ***"],
    ["apikey: hunter2", "apikey: ***"],
    ['{"password":"hun\\"ter2","x":1}', '{"password":"***","x":1}'],
    ['{\\"password\\":\\"hunter2\\",\\"x\\":1}', '{\\"password\\":\\"***\\",\\"x\\":1}'],
    ["{ password: 'hunter2 two', x: 1 }", "{ password: '***', x: 1 }"],
    ["[ 'authorization', 'Bearer hunter2' ]", "[ 'authorization', 'Bearer ***' ]"],
    ["{ secret => 'hunter2' }", "{ secret => '***' }"],
    ["Bearer hunter2hunter2hunter2", "Bearer ***"],
    [`key ${JWT} end`, "key *** end"],
    [`x${JWT}`, "x***"],
    [JWT.slice(0, 60), "***"],
    ["sb_secret_hunter2-_x end", "*** end"],
    ["the key isb_secret_hunter2", "the key i***"],
  ])("the redactor hides the secret in %s", (text, expected) => {
    expect(new Redactor().redact(text)).toBe(expected);
  });

  test.each([
    "mongodb://localhost:27017/ordersDB",
    "Write %40 for @ in the password.",
    "the password holds an unescaped @",
    "Set KV_REST_API_URL and KV_REST_API_TOKEN.",
    "orders  1,234 documents  me@example.com",
    "https://example.com/a.b.c/d?e=f",
    "eyJ is how tokens begin",
    "1.2.3 and bearer bonds",
    "",
  ])("the redactor leaves %j unchanged", (text) => {
    expect(new Redactor().redact(text)).toBe(text);
  });

  test("the redactor takes little time for hostile texts of 400,000 characters", () => {
    const redactor = redactorOf("hunter2", "p%40ss word", "%25%25%25%25", "\\\\\\\\\\\\\\\\x", JWT);
    const units = [
      "://",
      "://a ",
      "a",
      "eyJ",
      "eyJ.",
      "token",
      "token:",
      "token ",
      "token='",
      'token="\\',
      "bearer ",
      "bearer a",
      "%25",
      "\\",
      "sb_secret_",
      "@",
      "hunter",
      "password:\n",
      "a.",
      "://@",
    ];
    const start = performance.now();
    for (const unit of units) redactor.redact(unit.repeat(400_000 / unit.length));
    expect(performance.now() - start).toBeLessThan(10_000);
  });
});

describe("very long texts", () => {
  test("the redactor cuts a very long text without showing part of a secret at the cut", () => {
    const redactor = redactorOf("correct horse battery");
    for (const before of [899_990, 999_990, 1_000_000]) {
      const shown = redactor.redact(`${"n".repeat(before)}correct horse battery${"n".repeat(9_000_000)}`);
      expect(shown.length).toBeLessThan(1_000_000);
      expect(shown).not.toMatch(/correct|ttery/);
    }
  });
});

describe("text for a terminal", () => {
  test.each([
    ["\u001b[2J\u001b]0;x\u0007", "\\x1b[2J\\x1b]0;x\\x07"],
    ["a\nb\r\nc\td", "a\\nb\\r\\nc\\td"],
    ["\0\u007f\u0080\u009b31m", "\\x00\\x7f\\x80\\x9b31m"],
    ["a\u202eb\u2066c\u200fd\u061c", "a\\u202eb\\u2066c\\u200fd\\u061c"],
    ["a\u2028b\u2029", "a\\u2028b\\u2029"],
    ["\ud800x", "\\ud800x"],
  ])("a text for a terminal shows %j as %s", (text, expected) => {
    expect(safeText(text)).toBe(expected);
  });

  test("a text for a terminal leaves ordinary Unicode unchanged", () => {
    for (const text of [
      "orders",
      "größe",
      "注文",
      "заказы",
      "\u05d0\u05d1",
      "👩‍👩‍👧",
      "e\u0301",
      "a\u00a0b",
      "\\x1b",
    ])
      expect(safeText(text)).toBe(text);
  });

  test("a text for a terminal holds nothing that a terminal obeys", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const safe = safeText(text);
        expect(safe).not.toMatch(/[\p{Cc}\p{Cs}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/u);
        expect(safeText(safe)).toBe(safe);
      }),
    );
  });
});
