/** How mongodump and mongorestore write the names of collections as names of files. */
import { createHash } from "node:crypto";
import { DualsyncError } from "../../model/errors.ts";

/** The longest name before a file's ending; a longer one is cut, and its hash put behind it. */
const LONGEST = 238;
const CUT_AT = 208;
/** A dollar sign: no collection's name has one. */
const BEFORE_HASH = "%24";

/** Bytes that stand for themselves. */
const PLAIN = /[A-Za-z0-9\-_.~]/;

/**
 * The name of a collection's files, without their endings. `taken` are names that the folder's files have already, in lower
 * case: a name that differs from one of them in capitals alone is written in another way, which means the same, so
 * that both files exist everywhere.
 */
export function collectionFileName(name: string, taken?: ReadonlySet<string>): string {
  const ways = [PLAIN, /[a-z0-9\-_.~]/, /[0-9\-_.~]/].map((plain) => shortened(name, escaped(name, plain)));
  const free = ways.find((way) => taken?.has(way.toLowerCase()) !== true);
  if (free === undefined) {
    throw new DualsyncError("local", `No name is left for a file that holds the collection ${name}.`, {
      hint: "The source was not changed. Give the collection another name with --rename, or leave it out with --exclude.",
    });
  }
  return free;
}

/** What a file's name, without its ending, says. `cut`: the collection's name is in its metadata alone. */
export type WrittenName =
  | { readonly kind: "name"; readonly name: string }
  | { readonly kind: "cut" }
  | { readonly kind: "invalid" };

/** The inverse of `collectionFileName`, whoever wrote the name. */
export function readFileName(fileName: string): WrittenName {
  if (fileName.length === LONGEST && fileName.includes(BEFORE_HASH)) return { kind: "cut" };
  if (/%(?![0-9A-Fa-f]{2})/.test(fileName)) return { kind: "invalid" };
  try {
    return { kind: "name", name: decodeURIComponent(fileName.replaceAll("+", "%20")) };
  } catch {
    return { kind: "invalid" };
  }
}

/** As Go's `url.QueryEscape`, where `plain` is as there. */
function escaped(name: string, plain: RegExp): string {
  let text = "";
  for (const byte of Buffer.from(name)) {
    const character = String.fromCharCode(byte);
    if (plain.test(character)) text += character;
    else text += character === " " ? "+" : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return text;
}

function shortened(name: string, text: string): string {
  if (text.length <= LONGEST) return text;
  const hash = createHash("sha1").update(name).digest("base64url");
  return text.slice(0, CUT_AT) + BEFORE_HASH + hash;
}
