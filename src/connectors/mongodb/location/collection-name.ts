import { isControlName } from "../../control/control-name.ts";

/** In bytes, with the database's name and the dot between them. */
const LONGEST = 255;

/**
 * Why no collection of a database can have this name, in words that follow it; undefined: it can. Names with two dots in a row
 * are taken by the server, and by no driver.
 */
export function collectionNameProblem(name: string): string | undefined {
  if (isControlName(name)) return "is reserved for dualsync";
  if (name.startsWith("system.")) return "is reserved for MongoDB's server";
  if (name === "" || name.includes("$") || name.includes("\0") || /\p{Surrogate}/u.test(name))
    return "contains a character that no collection may have";
  if (name.startsWith(".") || name.endsWith(".") || name.includes(".."))
    return "has a dot at its beginning or its end, or two in a row";
  return Buffer.byteLength(name) > LONGEST ? `is longer than ${LONGEST} bytes` : undefined;
}

/**
 * Why this database has no room for the name, in words that follow it; undefined: it has. `prefix`: what the server puts before
 * the name of such a collection.
 */
export function lengthProblem(name: string, database: string, prefix = ""): string | undefined {
  const bytes = Buffer.byteLength(name);
  const longest = LONGEST - Buffer.byteLength(`${database}.${prefix}`);
  return bytes > longest
    ? `has ${bytes} bytes, and the database ${database} has room for ${longest}`
    : undefined;
}
