// What the program itself knows and the documents show, by the name of the part. Needs `npm run build:all`.
import { spawnSync } from "node:child_process";
import { records } from "./records.js";

/** @param {string} path */
const built = (path) => import(new URL(`../../dist/${path}`, import.meta.url).href);

// The built program, which the types of a fresh checkout do not know yet.
/** @type {typeof import("../../src/model/errors.ts")} */
const { EXIT_CODES } = await built("model/errors.js");
/** @type {typeof import("../../src/cli.ts")} */
const { buildProgram } = await built("cli.js");
/** @type {typeof import("../../src/redact/redact.ts")} */
const { Redactor } = await built("redact/redact.js");
/** @type {typeof import("../../src/connectors/registry.ts")} */
const { connectors } = await built("connectors/registry.js");

const { commands } = buildProgram(new Redactor());
/** The statuses that scripts distinguish. */
const IN_SCRIPTS = new Set([0, 1, 2, 3, 6, 12]);

/** @type {ReadonlyMap<string, string>} */
export const parts = new Map([
  ...commands.map((command) => /** @type {const} */ ([`usage ${command.name()}`, usage(command.name())])),
  ["commands", table(["Command", "Does"], commands.map(commandRow))],
  ["exit status", table(["Status", "Meaning", "What to do"], EXIT_CODES.map(exitRow))],
  [
    "exit status in scripts",
    table(
      ["Status", "Meaning"],
      EXIT_CODES.filter(({ code }) => IN_SCRIPTS.has(code)).map(({ code, meaning }) => [code, meaning]),
    ),
  ],
  ...(await failureTables()),
  ...(await records()),
]);

/**
 * @param {string[]} heads
 * @param {(string | number)[][]} rows
 */
function table(heads, rows) {
  return [heads, heads.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

/** @param {string} name */
function usage(name) {
  const env = { ...process.env, COLUMNS: "100", NO_COLOR: "1" };
  const args = ["bin/dualsync.js", name, "--help"];
  const help = spawnSync(process.execPath, args, { encoding: "utf8", env }).stdout;
  return `\`\`\`text\n${help.trimEnd()}\n\`\`\``;
}

/** @param {import("commander").Command} command */
function commandRow(command) {
  return [`[\`${command.name()}\`](docs/commands/${command.name()}.md)`, command.summary()];
}

/** @param {(typeof EXIT_CODES)[number]} row */
function exitRow({ code, meaning, next }) {
  return [code, meaning, next];
}

/** One table for each kind of store that can be opened. */
async function failureTables() {
  /** @type {[string, string][]} */
  const tables = [];
  for (const { kind, failures: all } of connectors())
    if (all !== undefined) tables.push([`failures ${kind}`, failures(await all())]);
  return tables;
}

/** @param {Readonly<Record<string, import("../../src/connectors/failure.ts").Failure>>} all */
function failures(all) {
  const rows = Object.entries(all).map(([name, row]) => failureRow(name, row));
  return table(["What you read", "Status", "What it means", "What to do"], rows);
}

/**
 * As somebody reads it whose source fails; where only a target can fail so, its target.
 * @param {string} name
 * @param {import("../../src/connectors/failure.ts").Failure} failure
 */
function failureRow(name, { says, exit, means, hint }) {
  const store = name.endsWith("-target") || name.endsWith("-write") ? "target" : "source";
  const rights = store === "target" ? "select, insert, update, delete" : "select";
  /** @type {Readonly<Record<string, string>>} */
  const words = {
    where: `the ${store}`,
    Where: `The ${store}`,
    grants: `grant ${rights} on table … to service_role;`,
    detail: "",
  };
  /** @param {string} text */
  const fill = (text) =>
    text
      .replace(/ \(\{detail\}\)|: \{detail\}/g, "")
      .replace(/\{(\w+)\}/g, (_, word) => words[word] ?? "…")
      .replace(/…\.$/, "…");
  const status = { role: "4, 5", denied: 8, refused: 6, usage: 2 }[exit];
  return [fill(says), status, means, fill(hint)];
}
