import { isOwnName } from "../own-name.ts";

/**
 * Why no collection of a database can have this name; undefined: it can. Names with two dots in a row are taken by the
 * server, and by no driver.
 */
export function nameProblem(name: string): string | undefined {
  if (isOwnName(name)) return "dualsync keeps its own notes under such a name";
  if (name.startsWith("system.")) return "MongoDB keeps names that begin with system. for itself";
  if (name === "" || name.includes("$") || name.includes("\0") || /\p{Surrogate}/u.test(name))
    return "its name holds a character that no collection of MongoDB can have";
  if (name.startsWith(".") || name.endsWith(".") || name.includes(".."))
    return "its name has a dot where no collection of MongoDB can have one";
  return undefined;
}
