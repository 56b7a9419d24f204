// What must be true of the documents: how long they are, where their links lead, what their tables hold.
import { existsSync } from "node:fs";
import { dirname, join, normalize } from "node:path";

/** The most bytes of a README that is read to its end. */
const LONGEST_README = 10_240;

/**
 * @param {ReadonlyMap<string, string>} texts by the name of the file
 * @returns {string[]} a sentence for each rule that is broken
 */
export function brokenRules(texts) {
  const problems = [];
  const size = Buffer.byteLength(texts.get("README.md") ?? "");
  if (size > LONGEST_README) problems.push(`README.md has ${size} bytes: at most ${LONGEST_README}`);
  const anchors = new Map([...texts].map(([file, text]) => [file, anchorsOf(text)]));
  for (const [file, text] of texts) {
    problems.push(...brokenLinks(file, text, anchors), ...repeatedCells(file, text));
    problems.push(...unknownFields(file, text));
  }
  return problems;
}

/**
 * Without fenced blocks.
 * @param {string} text
 */
function withoutCode(text) {
  return text.replace(/^( *)```[\s\S]*?^\1```$/gm, "");
}

/**
 * @param {string} file
 * @param {string} text
 * @param {ReadonlyMap<string, ReadonlySet<string>>} anchors
 */
function brokenLinks(file, text, anchors) {
  const prose = withoutCode(text).replace(/`[^`\n]*`/g, "");
  const links = [...prose.matchAll(/\[[^\]]*\]\(([^)\s]+)\)/g)].map(([, link = ""]) => link);
  return links.flatMap((link) => {
    if (/^[a-z]+:/.test(link)) return [];
    const [path = "", anchor] = link.split("#");
    const target = path === "" ? file : normalize(join(dirname(file), path)).replaceAll("\\", "/");
    if (!existsSync(target)) return [`${file}: ${link} leads to no file`];
    const found = anchor === undefined || anchors.get(target)?.has(anchor) === true;
    return found ? [] : [`${file}: ${link} leads to no heading`];
  });
}

/**
 * The names that GitHub gives to headings.
 * @param {string} text
 */
function anchorsOf(text) {
  /** @type {Set<string>} */
  const anchors = new Set();
  for (const [, heading = ""] of withoutCode(text).matchAll(/^#{1,6} (.+)$/gm)) {
    const name = heading
      .trim()
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, "")
      .replace(/\s/g, "-");
    let unique = name;
    for (let more = 1; anchors.has(unique); more++) unique = `${name}-${more}`;
    anchors.add(unique);
  }
  return anchors;
}

/**
 * The rows of each table, without its heads.
 * @param {string} text
 */
function tablesOf(text) {
  return [...withoutCode(text).matchAll(/^\| (.+?) \|.*\n\|[-| ]+\|\n((?:\|.*\n?)*)/gm)].map(
    ([, head = "", rows = ""]) => ({
      head,
      cells: rows
        .split("\n")
        .filter((row) => row !== "")
        .map((row) => /^\| (.+?) \|/.exec(row)?.[1] ?? ""),
    }),
  );
}

/**
 * Whoever looks a sentence up must find one answer.
 * @param {string} file
 * @param {string} text
 */
function repeatedCells(file, text) {
  return tablesOf(text).flatMap(({ cells }) =>
    cells
      .filter((cell, at) => cells.indexOf(cell) !== at)
      .map((cell) => `${file}: a table has twice: ${cell}`),
  );
}

/**
 * A field that a table explains stands in the records that the document shows.
 * @param {string} file
 * @param {string} text
 */
function unknownFields(file, text) {
  const shown = new Set([...text.matchAll(/"(\w+)":/g)].map(([, name]) => name));
  return tablesOf(text)
    .filter(({ head }) => head === "Field")
    .flatMap(({ cells }) => cells.flatMap((cell) => [...cell.matchAll(/`(\w+)`/g)].map(([, name]) => name)))
    .filter((name) => !shown.has(name))
    .map((name) => `${file}: no record that it shows has the field ${name}`);
}
