// Writes the parts of the README that the program itself knows: usage, exit codes, failures. `--check` only compares.
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";

// The built program, which the types of a fresh checkout do not know yet.
/** @type {typeof import("../src/errors.ts")} */
const { EXIT_CODES } = await import(new URL("../dist/errors.js", import.meta.url).href);
/** @type {typeof import("../src/connectors/mongodb/failures.ts")} */
const { FAILURES } = await import(new URL("../dist/connectors/mongodb/failures.js", import.meta.url).href);
/** @type {typeof import("../src/connectors/supabase/api/failures.ts")} */
const supabase = await import(new URL("../dist/connectors/supabase/api/failures.js", import.meta.url).href);

/**
 * @param {string[]} heads
 * @param {(string | number)[][]} rows
 */
function table(heads, rows) {
  return [heads, heads.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

/** @param {import("../src/connectors/failure.ts").Failure} failure */
function failureRow({ says, exit, means, hint }) {
  /** @type {Record<string, string>} */
  const words = { where: "the source", Where: "The source", doing: "…", detail: "", table: "…", schema: "…" };
  const sentence = says.replace(/ \(\{detail\}\)|: \{detail\}|\{(\w+)\}/g, (_, word) => words[word] ?? "");
  const status = exit === "role" ? "4, 5" : exit === "denied" ? 8 : 2;
  return [sentence, status, `${means} ${hint.replace(/\{\w+\}/g, "…")}`];
}

const env = { ...process.env, COLUMNS: "100", NO_COLOR: "1" };

/** @param {string} command */
function usage(command) {
  const args = ["bin/dualsync.js", command, "--help"];
  const help = spawnSync(process.execPath, args, { encoding: "utf8", env }).stdout;
  return `\`\`\`text\n${help.trimEnd()}\n\`\`\``;
}

const parts = {
  usage: usage("duplicate"),
  "backfill usage": usage("backfill"),
  "diff usage": usage("diff"),
  "repair usage": usage("repair"),
  "undo usage": usage("undo"),
  "exit codes": table(
    ["Status", "Meaning", "What to do"],
    EXIT_CODES.map(({ code, meaning, next }) => [code, meaning, next]),
  ),
  failures: table(
    ["What you read", "Status", "What is behind it, and what to do"],
    Object.values(FAILURES).map(failureRow),
  ),
  "supabase failures": table(
    ["What you read", "Status", "What is behind it, and what to do"],
    Object.values(supabase.FAILURES).map(failureRow),
  ),
};

let text = readFileSync("README.md", "utf8");
const before = text;
for (const [name, content] of Object.entries(parts)) {
  if (!text.includes(`<!-- ${name} -->`)) throw new Error(`README.md has no place for ${name}`);
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
