import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseEnv } from "node:util";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { loadEnvironment } from "../../src/config/env/environment.ts";
import { describeVariable, type Environment } from "../../src/model/environment.ts";
import { failureOf, textOf } from "../support/configuration-failure.ts";

let cwd: string;

beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), "dualsync-env-"));
});

afterEach(() => {
  rmSync(cwd, { recursive: true, force: true });
});

function load(
  files: Readonly<Record<string, string | Uint8Array>>,
  processEnv: Record<string, string> = {},
): Environment {
  for (const [name, content] of Object.entries(files)) writeFileSync(join(cwd, name), content);
  return loadEnvironment({ cwd, processEnv });
}

describe("precedence of variables", () => {
  test("the process environment takes precedence over .env.local, which takes precedence over .env", () => {
    const environment = load({ ".env": "A=1\nB=1\nC=1", ".env.local": "A=2\nB=2" }, { A: "3" });
    expect(environment.get("A")).toEqual({ value: "3", origin: "environment" });
    expect(environment.get("B")).toEqual({ value: "2", origin: ".env.local" });
    expect(environment.get("C")).toEqual({ value: "1", origin: ".env" });
    expect(environment.get("D")).toBeUndefined();
  });

  test("an empty or blank value counts as unset", () => {
    const environment = load({ ".env": "A=1\nB=\nC=' '", ".env.local": "A=" }, { A: "  ", B: "" });
    expect(environment.get("A")).toEqual({ value: "1", origin: ".env" });
    expect(environment.get("B")).toBeUndefined();
    expect(environment.get("C")).toBeUndefined();
  });

  test(".env files of parent directories are not read", () => {
    writeFileSync(join(cwd, ".env"), "A=1");
    const inner = join(cwd, "inner");
    mkdirSync(inner);
    expect(loadEnvironment({ cwd: inner, processEnv: {} }).get("A")).toBeUndefined();
  });

  test("variables of .env files are not written into the process environment", () => {
    const before = { ...process.env };
    load({ ".env": "DUALSYNC_TEST_LEAK=1" });
    expect({ ...process.env }).toEqual(before);
  });

  test("property names that every object inherits do not count as variables", () => {
    const environment = load({ ".env": "__proto__=1\nX=2" }, {});
    expect(environment.get("constructor")).toBeUndefined();
    expect(environment.get("toString")).toBeUndefined();
    expect(environment.get("__proto__")).toEqual({ value: "1", origin: ".env" });
  });

  test("a variable is described with its origin", () => {
    const environment = load({ ".env": "A=1" }, { B: "2" });
    const [a, b] = [environment.get("A"), environment.get("B")];
    expect(a && describeVariable("A", a)).toBe("A in .env");
    expect(b && describeVariable("B", b)).toBe("B in the environment");
  });
});

describe("pitfalls of .env files", () => {
  test("a byte-order mark does not hide the first variable", () => {
    expect(load({ ".env": "\ufeffMONGODB_URI=mongodb://h/a\nB=2" }).get("MONGODB_URI")?.value).toBe(
      "mongodb://h/a",
    );
  });

  test("Windows and old Mac line endings are accepted", () => {
    const environment = load({ ".env": 'A=1\r\nB="2"\r\nC=3\rD=4' });
    expect(["A", "B", "C", "D"].map((name) => environment.get(name)?.value)).toEqual(["1", "2", "3", "4"]);
  });

  test("a stray line does not swallow the next variable and is reported only by its line number", () => {
    const environment = load({ ".env": "A=1\nsome hunter2 words\nMONGODB_URI=mongodb://h/a" });
    expect(environment.get("MONGODB_URI")?.value).toBe("mongodb://h/a");
    expect(environment.warnings).toEqual([".env line 2 is ignored: it is not of the form NAME=value."]);
  });

  test.each([
    "  \nMONGODB_URI=mongodb://h/a",
    "=5\nMONGODB_URI=mongodb://h/a",
    "export   MONGODB_URI=mongodb://h/a",
    "\tMONGODB_URI = mongodb://h/a ",
  ])("the variable in %j is found, where Node's own parser may miss it", (text) => {
    expect(load({ ".env": text }).get("MONGODB_URI")?.value).toBe("mongodb://h/a");
  });

  test.each([
    ["MONGODB_URI=mongodb://u:p#x@h/db", "MONGODB_URI"],
    ["export KV_REST_API_URL=https://h#x", "KV_REST_API_URL"],
    ["KV_REST_API_TOKEN = ab#cd", "KV_REST_API_TOKEN"],
    ["SUPABASE_SERVICE_ROLE_KEY=#abcdef", "SUPABASE_SERVICE_ROLE_KEY"],
    ["A=1\n\n# note\nMONGODB_URI=a#b # note", "MONGODB_URI"],
  ])("an unquoted # that cuts off %j causes a warning", (text, name) => {
    const { warnings } = load({ ".env": text });
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain(`${name} ends before an unquoted #`);
    expect(warnings[0]).not.toContain("p#x");
  });

  test.each([
    'MONGODB_URI="mongodb://u:p#x@h/db"',
    "MONGODB_URI='mongodb://u:p#x@h/db'",
    "MONGODB_URI=`mongodb://u:p#x@h/db`",
    "MONGODB_URI=mongodb://h/db # the local one",
    "MONGODB_URI= # fill me in",
    "MONGODB_URI=#",
    "# MONGODB_URI=mongodb://u:p#x@h/db",
    "COLOR=#ff0000",
    'NOTE="a\nMONGODB_URI=mongodb://u:p#x@h"',
  ])("an .env file with the text %j causes no warning", (text) => {
    expect(load({ ".env": text }).warnings).toEqual([]);
  });

  test("a value that was cut off at a # causes no warning when another value takes precedence", () => {
    expect(load({ ".env": "MONGODB_URI=a#b" }, { MONGODB_URI: "mongodb://h/a" }).warnings).toEqual([]);
    expect(load({ ".env": "MONGODB_URI=a#b", ".env.local": "MONGODB_URI=mongodb://h/a" }).warnings).toEqual(
      [],
    );
  });

  test("a variable set twice to the same value causes no warning", () => {
    expect(load({ ".env": "MONGODB_URI=mongodb://a/a\nMONGODB_URI='mongodb://a/a'" }).warnings).toEqual([]);
  });

  test("line numbers in warnings count the lines of multi-line values", () => {
    const { warnings } = load({ ".env": 'NOTE="a\nb\n\nc" # d\n\nMONGODB_URI=a#b' });
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain(".env line 6: MONGODB_URI");
  });

  test("a variable set twice to different values causes a warning, and the last value counts", () => {
    const environment = load({ ".env": "MONGODB_URI=mongodb://a/a\nX=1\nX=2\nMONGODB_URI=mongodb://b/b" });
    expect(environment.get("MONGODB_URI")?.value).toBe("mongodb://b/b");
    expect(environment.warnings).toEqual([
      ".env sets MONGODB_URI on line 1 and again on line 4; line 4 counts.",
    ]);
  });

  test("a quotation mark that is never closed causes a warning", () => {
    const environment = load({ ".env": 'MONGODB_URI="mongodb://h/a\nA=1' });
    expect(environment.get("A")?.value).toBe("1");
    expect(environment.warnings).toHaveLength(1);
    expect(environment.warnings[0]).toContain("unclosed quotation mark");
  });

  test("well-formed files are read as Node's own parser reads them", () => {
    const name = fc.stringMatching(/^[A-Z_][A-Z0-9_]{0,8}$/);
    const bare = fc.stringMatching(/^[a-z0-9:/@.=+-]{0,12}$/);
    const quoted = fc.stringMatching(/^[a-z0-9 #\n=]{0,12}$/).map((text) => `"${text}"`);
    const row = fc.oneof(
      fc.tuple(name, fc.oneof(bare, quoted)).map(([key, value]) => `${key}=${value}`),
      fc.constantFrom("", "# a comment", "#A=1"),
    );
    fc.assert(
      fc.property(fc.array(row, { maxLength: 8 }), (rows) => {
        const text = `${rows.join("\n")}\n`; // without the last line break Node takes a comment there for a variable
        const environment = load({ ".env": text });
        for (const [key, value] of Object.entries(parseEnv(text))) {
          expect(environment.get(key)?.value ?? "").toBe((value ?? "").trim() === "" ? "" : value);
        }
      }),
      { numRuns: 200 },
    );
  });
});

describe("unreadable .env files", () => {
  function refusal(fileName = ".env"): string {
    const failure = failureOf(() => loadEnvironment({ cwd, processEnv: {} }));
    expect(failure.exit).toBe("usage");
    expect(failure.message).toContain(fileName);
    return textOf(failure);
  }

  test("missing .env files are accepted", () => {
    expect(load({}).warnings).toEqual([]);
  });

  test("a directory in place of a .env file is rejected", () => {
    mkdirSync(join(cwd, ".env.local"));
    expect(refusal(".env.local")).toContain("a directory");
  });

  test("a .env file larger than 1 MiB is rejected, and one of exactly 1 MiB is accepted", () => {
    writeFileSync(join(cwd, ".env"), `A=1\n${"#".repeat(1024 * 1024 - 4)}`);
    expect(loadEnvironment({ cwd, processEnv: {} }).get("A")?.value).toBe("1");
    writeFileSync(join(cwd, ".env"), `A=1\n${"#".repeat(1024 * 1024 - 3)}`);
    expect(refusal()).toContain("larger than 1 MiB");
  });

  test("a .env file that is not UTF-8 is rejected instead of being read as having no variables", () => {
    writeFileSync(join(cwd, ".env"), Buffer.from("\ufeffA=1", "utf16le"));
    expect(refusal()).toContain("not UTF-8");
    writeFileSync(join(cwd, ".env"), Buffer.from("A=1", "utf16le"));
    expect(refusal()).toContain("not UTF-8");
    writeFileSync(join(cwd, ".env"), Buffer.from("A=\u00e4", "latin1"));
    expect(refusal()).toContain("not UTF-8");
  });

  test("a symbolic link to a missing file is rejected", () => {
    symlinkSync(join(cwd, "gone"), join(cwd, ".env"));
    expect(refusal()).toContain("does not exist");
  });

  test("a symbolic link to /dev/null counts as an empty file", () => {
    symlinkSync("/dev/null", join(cwd, ".env"));
    expect(loadEnvironment({ cwd, processEnv: {} }).get("A")).toBeUndefined();
  });

  test.skipIf(process.getuid?.() === 0)("a .env file without read permission is rejected", () => {
    writeFileSync(join(cwd, ".env"), "A=1");
    chmodSync(join(cwd, ".env"), 0);
    expect(refusal()).toContain("may not read");
  });
});
