import { readdirSync, readFileSync } from "node:fs";
import { posix } from "node:path";
import { expect, it } from "vitest";

/** Words of one store, which no other part may know. Reasons and examples in comments may use them. */
const WORDS = {
  mongodb:
    /\bviews?\b|viewOn|\bcapped\b|time[- ]?series|\bTTL\b|["'`]\$(?:eq|ne|g|l|in|nin|match|expr)|\bmongos\b/i,
  supabase: /row[- ]level|\brls\b|pgrst|service_role|postgrest|\bgrant(?:s|ed)?\b|\btables\b/i,
} as const;

/** `view` is also a way to see bytes, and what stands on a terminal. */
const HOMONYMS = /\b(?:Data|Progress)View\b|\bviewBox\b|#view\b|\bview(?=[.:)])|\bconst view\b/g;

/** The verbs of one store alone: its name is in what they say of themselves. */
const VERBS = ["src/commands/copy/backfill-command.ts", "src/commands/sql/"];

const FILES = readdirSync("src", { recursive: true, encoding: "utf8" })
  .map((file) => `src/${file.replaceAll("\\", "/")}`)
  .filter((file) => file.endsWith(".ts"));

/** What connectors share: every other folder there is a connector. */
const SHARED = ["control", "definitions", "http", "lease", "location", "powers", "wrappers"];

/** Definitions of collections as MongoDB has them, which archives keep, too. */
const DEFINITIONS = "src/connectors/definitions/";

const CONNECTORS = readdirSync("src/connectors", { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && !SHARED.includes(entry.name))
  .map(({ name }) => name);

/** The connector in whose folder a file is. */
function connectorOf(file: string): string | undefined {
  const [, folder] = /^src\/connectors\/([^/]+)\//.exec(file) ?? [];
  return CONNECTORS.find((connector) => connector === folder);
}

/** What a file imports of this program, types included, as paths from the root. */
function importsOf(file: string): string[] {
  const text = linesOf(file).join("\n");
  return [...text.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*["'`](\.[^"'`]*)["'`]/g)].map(([, path = ""]) =>
    posix.join(posix.dirname(file), path),
  );
}

/** Each line of code without its comments. */
function linesOf(file: string): string[] {
  const text = readFileSync(file, "utf8");
  return text
    .replaceAll(/\/\*[\s\S]*?\*\//g, (comment) => comment.replaceAll(/[^\n]/g, ""))
    .split("\n")
    .map((line) => line.replace(/(^|\s)\/\/.*$/, ""));
}

/** Whether one of the words stands in the line, alone or in a name: `withoutViews`, `CAPPED_SIZE`. */
function hasWord(words: RegExp, line: string): boolean {
  const text = line.replaceAll(HOMONYMS, "");
  const split = text.replaceAll(/([a-z\d])([A-Z])/g, "$1 $2").replaceAll("_", " ");
  return words.test(text) || words.test(split);
}

it("a word of one store is seen alone and in a name, but not where it means something else", () => {
  const lines = ["a view", "withoutViews()", "CAPPED_SIZE", "timeSeries", "new DataView(b)", "review"];
  expect(lines.filter((line) => hasWord(WORDS.mongodb, line))).toEqual(lines.slice(0, 4));
});

it.each(Object.entries(WORDS))("what only %s has is known to its connector alone", (connector, words) => {
  const others = FILES.filter(
    (file) =>
      connectorOf(file) === undefined && ![...VERBS, DEFINITIONS].some((home) => file.startsWith(home)),
  );
  expect(others.length).toBeGreaterThan(100);
  const found = others.flatMap((file) =>
    linesOf(file).flatMap((line, index) =>
      hasWord(words, line) ? [`${file}:${index + 1}: ${line.trim()}`] : [],
    ),
  );
  expect(found).toEqual([]);
  const own = FILES.filter((file) => file.startsWith(`src/connectors/${connector}/`));
  expect(own.some((file) => linesOf(file).some((line) => hasWord(words, line)))).toBe(true);
});

it("only the registry, the verbs of one store and a connector itself import from a connector's folder", () => {
  const importing = FILES.filter((file) =>
    importsOf(file).some((path) => ![undefined, connectorOf(file)].includes(connectorOf(path))),
  );
  expect(importing.sort()).toEqual(["src/commands/sql/sql-command.ts", "src/connectors/registry.ts"]);
});

it("every connector has one line in the registry and brings a record of its own", () => {
  expect(CONNECTORS).toEqual(expect.arrayContaining(Object.keys(WORDS)));
  const records = importsOf("src/connectors/registry.ts").filter((path) => connectorOf(path) !== undefined);
  expect(records.sort()).toEqual(CONNECTORS.map((name) => `src/connectors/${name}/connector.ts`).sort());
});

it("every exported type has a name of its own", () => {
  const homes = new Map<string, string[]>();
  for (const file of FILES) {
    for (const line of linesOf(file)) {
      const name = /^(?:export )?(?:abstract )?(?:interface|class|type) (\w+)/.exec(line)?.[1];
      if (name !== undefined) homes.set(name, [...(homes.get(name) ?? []), file]);
    }
  }
  expect(homes.size).toBeGreaterThan(200);
  expect([...homes].filter(([, files]) => files.length > 1)).toEqual([]);
});
