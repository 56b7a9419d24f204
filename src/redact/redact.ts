import { type SecretSpan, secretSpans } from "./secret-patterns.ts";
import { decodedSecret, spellings } from "./secret-spellings.ts";

const MASK = "***";
/** No honest text is longer, and expressions give up on texts of many millions. */
const LONGEST = 1_000_000;
/** So much is left out before the cut: a secret that the cut divides lies in it. */
const MARGIN = 100_000;

/** The last gate before anything leaves the program: every text for a person, a file or a program passes `redact`. */
export class Redactor {
  readonly #known = new Set<string>();
  readonly #spellings: RegExp[] = [];

  /**
   * A value that must never be shown, or an address that holds one, however malformed. Known values are found exactly,
   * in every usual encoding; for unknown ones there are only patterns.
   */
  add(secret: string): void {
    if (secret === "" || this.#known.has(secret)) return;
    this.#known.add(secret);
    this.#spellings.push(...spellings(secret), ...spellings(encodedSecret(secret)));
    const decoded = decodedSecret(secret);
    if (decoded !== undefined) this.add(decoded);
    for (const part of userInfoOf(secret)) this.add(part);
  }

  /**
   * The text with `***` for every secret; one of more than a million characters is cut. Takes time in proportion to the
   * text's length.
   */
  redact(text: string): string {
    if (text.length > LONGEST) return `${this.redact(text.slice(0, LONGEST)).slice(0, LONGEST - MARGIN)}…`;
    const found = secretSpans(text);
    for (const spelling of this.#spellings) {
      spelling.lastIndex = 0;
      for (let match = spelling.exec(text); match !== null; match = spelling.exec(text)) {
        found.push({ start: match.index, end: match.index + match[0].length });
        // Occurrences may overlap, and each must go.
        spelling.lastIndex = match.index + 1;
      }
    }
    return masked(text, found);
  }
}

/** As it would stand in an address; nothing when that makes no difference, or half a character makes it impossible. */
function encodedSecret(secret: string): string {
  try {
    const encoded = encodeURIComponent(secret);
    return encoded === secret ? "" : encoded;
  } catch {
    return "";
  }
}

/** What may be user and password in an address: up to the last `@`, since a password may hold unescaped ones. */
function userInfoOf(address: string): string[] {
  const start = address.indexOf("://");
  const end = address.lastIndexOf("@");
  if (start === -1 || end <= start) return [];
  const userInfo = address.slice(start + 3, end);
  return userInfo.includes(":") ? [userInfo, userInfo.slice(userInfo.indexOf(":") + 1)] : [userInfo];
}

function masked(text: string, spans: readonly SecretSpan[]): string {
  const sorted = [...spans].sort((left, right) => left.start - right.start);
  let result = "";
  let position = 0;
  for (const { start, end } of sorted) {
    if (end <= position) continue;
    // A span that begins inside or right after the one before it shares its mask.
    if (start > position || position === 0) result += text.slice(position, start) + MASK;
    position = end;
  }
  return result + text.slice(position);
}

/** Controls, direction marks, line separators and broken surrogates: what could make a terminal lie. */
const HOSTILE = /[\p{Cc}\p{Cs}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu;
const SHORT: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/** The text with everything that a terminal would obey, instead of show, written out: `\x1b`, `\u202e`, `\n`. */
export function safeText(text: string): string {
  return text.replace(HOSTILE, (character) => {
    const code = character.charCodeAt(0);
    return (
      SHORT[character] ??
      (code < 0x100 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u${code.toString(16).padStart(4, "0")}`)
    );
  });
}
