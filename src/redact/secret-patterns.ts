/** A span of a text, `end` not included. */
export interface SecretSpan {
  readonly start: number;
  readonly end: number;
}

/**
 * Where a text looks as if it holds a secret, whoever wrote it. Every search walks the text once: a span that was
 * looked at is not looked at again, so that hostile text costs no more than its length.
 */
export function secretSpans(text: string): SecretSpan[] {
  return [...userInfos(text), ...namedValues(text), ...bearers(text), ...tokens(text)];
}

/** What stands between `://` and the last `@` before a blank, in an address of any scheme. */
function* userInfos(text: string): Generator<SecretSpan> {
  const blank = /[\s"`]/g;
  for (let at = text.indexOf("://"); at !== -1; ) {
    const start = at + 3;
    blank.lastIndex = start;
    const stop = blank.exec(text)?.index ?? text.length;
    const length = text.slice(start, stop).lastIndexOf("@");
    if (length > 0) yield { start, end: start + length };
    at = text.indexOf("://", stop);
  }
}

const NAMES =
  /api[-_]?key|authorization|token|passw(?:or)?d|passphrase|pwd|secret|(?:role|secret|access|private)[-_]?key/gi;
const SEPARATOR = /\\?["']?\s{0,8}(?:=>|=|:)\s{0,8}|\\?["']\s{0,8},\s{0,8}(?=\\?["'])/y;
const SCHEME = /(?:bearer|basic|digest)\s{1,8}/iy;
const BARE = /[^\s&"`]+/y;

/** The value after a name that ends like one of `NAMES`: parameters, headers, JSON and printed objects. */
function* namedValues(text: string): Generator<SecretSpan> {
  let done = 0;
  for (const match of text.matchAll(NAMES)) {
    if (match.index < done) continue;
    const separated = after(SEPARATOR, text, match.index + match[0].length);
    if (separated === undefined) continue;
    const quote = /\\?["']/y;
    const quoted = after(quote, text, separated);
    const start = after(SCHEME, text, quoted ?? separated) ?? quoted ?? separated;
    const end =
      quoted === undefined ? after(BARE, text, start) : closing(text, start, text.slice(separated, quoted));
    if (end === undefined || end === start) continue;
    yield { start, end };
    done = end;
  }
}

/** Where the quoted text ends: at its mark, unless that is escaped, or at the end of the line. */
function closing(text: string, start: number, mark: string): number {
  for (let at = start; at < text.length; at += 1) {
    if (text.startsWith(mark, at) || text[at] === "\n") return at;
    if (text[at] === "\\") at += 1;
  }
  return text.length;
}

function* bearers(text: string): Generator<SecretSpan> {
  for (const match of text.matchAll(/\bbearer\s{1,8}([^\s"'`,;]{16,})/gi)) {
    const end = match.index + match[0].length;
    yield { start: end - (match[1]?.length ?? 0), end };
  }
}

/** JSON web tokens, whole or cut off after the second part's beginning, and Supabase's secret keys. */
function* tokens(text: string): Generator<SecretSpan> {
  for (const match of text.matchAll(/[\w.-]{12,}/g)) {
    const [run] = match;
    const jwt = run.indexOf("eyJ");
    const [, second, third] = jwt === -1 ? [] : run.slice(jwt).split(".", 3);
    const isJwt = second !== undefined && (third !== undefined || second.startsWith("eyJ"));
    const secretKey = run.indexOf("sb_secret_");
    if (isJwt) yield { start: match.index + jwt, end: match.index + run.length };
    if (secretKey !== -1) yield { start: match.index + secretKey, end: match.index + run.length };
  }
}

function after(pattern: RegExp, text: string, from: number): number | undefined {
  pattern.lastIndex = from;
  return pattern.test(text) ? pattern.lastIndex : undefined;
}
