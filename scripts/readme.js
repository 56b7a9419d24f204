// Writes the parts of the README that the program itself knows: usage and exit codes. `--check` only compares.
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";

// The built program, which the types of a fresh checkout do not know yet.
/** @type {typeof import("../src/errors.ts")} */
const { EXIT_CODES } = await import(new URL("../dist/errors.js", import.meta.url).href);
const env = { ...process.env, COLUMNS: "100", NO_COLOR: "1" };
const help = spawnSync(process.execPath, ["bin/dualsync.js", "duplicate", "--help"], {
  encoding: "utf8",
  env,
}).stdout;
const parts = {
  usage: `\`\`\`text\n${help.trimEnd()}\n\`\`\``,
  "exit codes": [
    "| Status | Meaning |",
    "|---|---|",
    ...EXIT_CODES.map(({ code, meaning }) => `| ${code} | ${meaning} |`),
  ].join("\n"),
};

let text = readFileSync("README.md", "utf8");
const before = text;
for (const [name, content] of Object.entries(parts)) {
  text = text.replace(
    new RegExp(`(<!-- ${name} -->\\n)[\\s\\S]*?(<!-- /${name} -->)`),
    (_, open, close) => `${open}${content}\n${close}`,
  );
}
if (process.argv.includes("--check") && text !== before) {
  console.error("README.md is out of date: npm run build && node scripts/readme.js");
  process.exitCode = 1;
} else if (text !== before) {
  writeFileSync("README.md", text);
}
