import { configurationError } from "../../../model/configuration-error.ts";

const FORBIDDEN = /[/\\. "$*<>:|?\0]/;
const LONGEST = 63;

/** Why MongoDB would not take this as a database's name, in words that follow "the database name"; or undefined. */
export function databaseNameProblem(database: string): string | undefined {
  if (database === "") return "is empty";
  const character = FORBIDDEN.exec(database)?.[0];
  if (character !== undefined) return `holds ${describeCharacter(character)}, which is not allowed there`;
  if (/\p{Cs}/u.test(database)) return "is not valid Unicode text";
  const bytes = Buffer.byteLength(database);
  return bytes > LONGEST ? `is ${bytes} bytes long; the longest allowed is ${LONGEST}` : undefined;
}

/** Fails with `usage`; `name` says where the database's name was written. */
export function checkDatabaseName(database: string, name: string): void {
  const problem = databaseNameProblem(database);
  if (problem === undefined) return;
  throw configurationError(
    `The database name of ${name} ${problem}.`,
    `A database name has at most ${LONGEST} bytes and none of / \\ . " $ * < > : | ? or a blank.`,
  );
}

/** A character as messages show it: controls and blanks by name or number. */
export function describeCharacter(character: string): string {
  if (character === " ") return "a blank";
  if (/[\p{C}\p{Z}]/u.test(character)) {
    return `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}`;
  }
  return character;
}
