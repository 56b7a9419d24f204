import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { brokenRules } from "../scripts/docs/rules.js";
import { dualsync } from "./support/cli.ts";
import { expectExplained } from "./support/explained.ts";

it("the documents show the usage, statuses, failures and records that the program has, and no link is broken", () => {
  const { status, stderr } = spawnSync(process.execPath, ["scripts/docs.js", "--check"], {
    encoding: "utf8",
  });
  expect(stderr).toBe("");
  expect(status).toBe(0);
});

/** What the pattern's group finds in all documents for people. */
function namedInDocuments(pattern: RegExp): string[] {
  const docs = readdirSync("docs", { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".md"))
    .map((name) => join("docs", name));
  return ["README.md", "CONTRIBUTING.md", ...docs].flatMap((file) =>
    [...readFileSync(file, "utf8").matchAll(pattern)].map((match) => match[1] as string),
  );
}

it("the documents name only scripts that exist", () => {
  const { scripts } = JSON.parse(readFileSync("package.json", "utf8")) as { scripts: Record<string, string> };
  const named = namedInDocuments(/npm (?:run )?([a-z:]+)/g).filter((name) => name !== "ci");
  expect(named.length).toBeGreaterThan(10);
  for (const name of named) expect(Object.keys(scripts), name).toContain(name);
});

it("the documents name only files of this repository that exist", () => {
  // A name with an asterisk stands for several.
  const named = namedInDocuments(/`((?:src|test|bench|scripts|bin)\/[^`*\s]+)`/g);
  expect(named.length).toBeGreaterThan(100);
  expect(named.filter((path) => !existsSync(path))).toEqual([]);
});

it("safety.md explains the sentence for an address that was pasted without its password", async () => {
  const env = { MONGODB_URI: "mongodb+srv://app:<password>@cluster0.example.mongodb.net/shop" };
  const { code, stderr } = await dualsync(["duplicate"], { env });
  expect(code).toBe(2);
  expectExplained(stderr, code);
});

it("every command has a page, which README lists", () => {
  const help = execFileSync(process.execPath, ["bin/dualsync.js", "--help"], { encoding: "utf8" });
  const commands = [...help.matchAll(/^ {2}([\w-]+) \[options\]/gm)].map(([, name]) => `${name}.md`);
  expect(commands).toContain("duplicate.md");
  expect(readdirSync("docs/commands").sort()).toEqual(commands.sort());
  for (const page of commands) expect(readFileSync("README.md", "utf8")).toContain(`docs/commands/${page}`);
});

const TABLE = "| What you read | Status |\n| --- | --- |\n| Refused. | 4 |\n";

it.each([
  ["a README that is too long", "x".repeat(10_241), "README.md has 10241 bytes: at most 10240"],
  [
    "a link to a file that is not there",
    "[a](docs/nothing.md)",
    "README.md: docs/nothing.md leads to no file",
  ],
  [
    "a link to a heading that is not there",
    "# A `b`\n[a](#a-b) [c](#c)",
    "README.md: #c leads to no heading",
  ],
  ["a sentence that stands twice", `${TABLE}| Refused. | 5 |\n`, "README.md: a table has twice: Refused."],
  [
    "a field that no record has",
    '```json\n{"a": 1}\n```\n| Field | Holds |\n| --- | --- |\n| `a`, `b` | 1 |\n',
    "README.md: no record that it shows has the field b",
  ],
])("the check of the documents finds %s", (_what, text, problem) => {
  expect(brokenRules(new Map([["README.md", text]]))).toEqual([problem]);
});

it("the check of the documents finds nothing in what is right", () => {
  const text = `# One: "two" & three\n[a](#one-two--three) [b](LICENSE) [c](https://example.com)\n${TABLE}`;
  expect(brokenRules(new Map([["README.md", text]]))).toEqual([]);
});
