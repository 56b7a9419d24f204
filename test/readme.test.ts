import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { dualsync } from "./support/cli.ts";
import { expectExplained } from "./support/explained.ts";

it("the README shows the usage and the exit statuses of the program", () => {
  expect(() =>
    execFileSync(process.execPath, ["scripts/readme.js", "--check"], { stdio: "pipe" }),
  ).not.toThrow();
});

it("the README names only scripts that exist", () => {
  const { scripts } = JSON.parse(readFileSync("package.json", "utf8")) as { scripts: Record<string, string> };
  const readme = readFileSync("README.md", "utf8");
  const named = [...readme.matchAll(/npm (?:run )?([a-z:]+)/g)]
    .map((match) => match[1] as string)
    .filter((name) => name !== "ci");
  expect(named.length).toBeGreaterThan(3);
  for (const name of named) expect(Object.keys(scripts), name).toContain(name);
});

it("the README explains the message for an address that was pasted without its password", async () => {
  const env = { MONGODB_URI: "mongodb+srv://app:<password>@cluster0.example.mongodb.net/shop" };
  const { code, stderr } = await dualsync(["duplicate"], { env });
  expect(code).toBe(2);
  expectExplained(stderr, code);
});
