// Writes the generated parts of README.md and docs/: usage, exit status, failures, records. `--check` changes nothing
// and fails when a part is out of date, a link leads nowhere or a document breaks a rule of scripts/docs/rules.js.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parts } from "./docs/parts.js";
import { brokenRules } from "./docs/rules.js";

const PART = /(<!-- generated: (.+?) -->\n)[\s\S]*?(<!-- \/generated -->)/g;

const check = process.argv.includes("--check");
const docs = readdirSync("docs", { recursive: true, encoding: "utf8" }).filter((name) =>
  name.endsWith(".md"),
);
const files = [
  ...["README.md", "CONTRIBUTING.md", "CHANGELOG.md"],
  ...docs.map((name) => join("docs", name).replaceAll("\\", "/")).sort(),
];
const problems = [];
/** @type {Map<string, string>} */
const texts = new Map();
const unused = new Set(parts.keys());

for (const file of files) {
  const before = readFileSync(file, "utf8");
  const after = before.replace(PART, (_, open, name, close) => {
    const content = parts.get(name);
    if (content === undefined) throw new Error(`${file}: nothing is generated under the name ${name}`);
    unused.delete(name);
    return `${open}${content}\n${close}`;
  });
  texts.set(file, after);
  if (after === before) continue;
  if (check) problems.push(`${file} is out of date: npm run docs`);
  else writeFileSync(file, after);
}
for (const name of unused) problems.push(`no document has a place for ${name}`);
problems.push(...brokenRules(texts));

for (const problem of problems) console.error(problem);
if (problems.length > 0) process.exitCode = 1;
