import { closeSync, lstatSync, openSync, readSync, type Stats, statSync } from "node:fs";
import { join } from "node:path";
import { parseEnv } from "node:util";
import { connectors } from "../../connectors/registry.ts";
import { configurationError } from "../../model/configuration-error.ts";
import { type Statement, splitStatements } from "./env-statements.ts";

/** In bytes. */
const LARGEST = 1024 * 1024;

/** A remark about a file; with `name` it matters only while that file's value of the variable counts. */
export interface FileWarning {
  readonly name?: string;
  readonly text: string;
}

export interface EnvFile {
  readonly variables: ReadonlyMap<string, string>;
  readonly warnings: readonly FileWarning[];
}

/** Reads one `.env` file. A missing one is empty; one that is there and cannot be read in full is an error. */
export function readEnvFile(directory: string, fileName: string): EnvFile {
  const text = readText(join(directory, fileName), fileName);
  if (text === undefined) return { variables: new Map(), warnings: [] };
  const { statements, strayLines } = splitStatements(text.replace(/\r\n?/g, "\n"));
  const variables = new Map<string, string>();
  const first = new Map<string, Statement>();
  const warnings: FileWarning[] = [];
  for (const line of strayLines)
    warnings.push({ text: `${fileName} line ${line} is ignored: it is not of the form NAME=value.` });
  for (const statement of statements) {
    const { name, line } = statement;
    const value = parseEnv(`VALUE=${statement.text}`).VALUE ?? "";
    const earlier = first.get(name);
    if (earlier !== undefined && variables.get(name) !== value && isOurs(name)) {
      warnings.push({
        name,
        text: `${fileName} sets ${name} on line ${earlier.line} and again on line ${line}; line ${line} counts.`,
      });
    }
    first.set(name, statement);
    variables.set(name, value);
  }
  return {
    variables,
    warnings: [...warnings, ...[...first.values()].flatMap((last) => remarks(last, fileName))],
  };
}

function remarks(statement: Statement, fileName: string): FileWarning[] {
  const { name, line } = statement;
  if (!holdsAddressOrSecret(name)) return [];
  const where = `${fileName} line ${line}`;
  if (statement.cut) {
    return [
      {
        name,
        text: `${where}: ${name} ends before an unquoted #. If the # belongs to the value, put the whole value in quotes.`,
      },
    ];
  }
  if (statement.open) {
    return [
      {
        name,
        text: `${where}: ${name} begins with an unclosed quotation mark, which becomes part of the value.`,
      },
    ];
  }
  return [];
}

function holdsAddressOrSecret(name: string): boolean {
  return /(?:URI|URL|TOKEN|KEY)$/i.test(name);
}

function isOurs(name: string): boolean {
  const prefixes = [
    "SYNC_",
    "DUALSYNC_",
    ...connectors().flatMap(({ variablePrefixes }) => variablePrefixes),
  ];
  return holdsAddressOrSecret(name) || prefixes.some((prefix) => name.startsWith(prefix));
}

function readText(path: string, fileName: string): string | undefined {
  let bytes: Uint8Array;
  try {
    if (!isThere(path)) return undefined;
    const stats = statSync(path);
    const refusal = refusalOf(stats);
    if (refusal !== undefined) throw unreadable(fileName, refusal);
    bytes = readBytes(path);
  } catch (error) {
    if (error instanceof Error && "code" in error) throw unreadable(fileName, reasonOf(String(error.code)));
    throw error;
  }
  if (bytes.length > LARGEST) throw unreadable(fileName, "it is larger than 1 MiB");
  if (bytes.includes(0)) throw unreadable(fileName, "it is not UTF-8 text");
  try {
    // Strips a byte-order mark; without that the first variable would have another name.
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw unreadable(fileName, "it is not UTF-8 text");
  }
}

/** A link that leads nowhere is there: somebody meant a file. */
function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

function refusalOf(stats: Stats): string | undefined {
  if (stats.isDirectory()) return "it is a directory";
  // Opening a named pipe may wait forever. Character devices: a link to /dev/null hides a file in containers.
  if (!stats.isFile() && !stats.isCharacterDevice()) return "it is not an ordinary file";
  return undefined;
}

function readBytes(path: string): Uint8Array {
  const file = openSync(path, "r");
  try {
    const buffer = Buffer.alloc(LARGEST + 1);
    let length = 0;
    for (;;) {
      const read = readSync(file, buffer, length, buffer.length - length, null);
      length += read;
      if (read === 0 || length === buffer.length) return buffer.subarray(0, length);
    }
  } finally {
    closeSync(file);
  }
}

function reasonOf(code: string): string {
  if (code === "EACCES" || code === "EPERM") return "this account may not read it";
  if (code === "ENOENT") return "it is a link to a file that does not exist";
  if (code === "ELOOP") return "it is a link that points to itself";
  return `reading it failed with ${code}`;
}

function unreadable(fileName: string, reason: string): Error {
  return configurationError(
    `${fileName} in the working directory cannot be used: ${reason}.`,
    `Make ${fileName} a text file that this account can read, or move it away if it is not needed.`,
  );
}
