/** Shorter values would mask half of every text; where they stand in addresses and headers, the patterns find them. */
const SHORTEST = 4;

/** Expressions that find one value as it is, percent-encoded in whole or in part, inside JSON text, and in base64. */
export function spellings(secret: string): RegExp[] {
  if (secret.length < SHORTEST) return [];
  const sources = new Set([[...secret].map(rawOrEncoded).join("")]);
  sources.add(literal(JSON.stringify(secret).slice(1, -1)));
  for (const core of base64Cores(secret)) {
    sources.add(`${literal(core)}=*`);
    sources.add(`${literal(core.replaceAll("+", "-").replaceAll("/", "_"))}=*`);
  }
  return [...sources].map((source) => new RegExp(source, "g"));
}

/** The value without its percent-encoding, where that makes a difference. */
export function decodedSecret(secret: string): string | undefined {
  try {
    const decoded = decodeURIComponent(secret);
    return decoded === secret ? undefined : decoded;
  } catch {
    return undefined;
  }
}

function rawOrEncoded(character: string): string {
  const encoded = [...Buffer.from(character)].map((byte) => `%${hex(byte >> 4)}${hex(byte & 15)}`).join("");
  return `(?:${literal(character)}|${encoded}${character === " " ? "|\\+" : ""})`;
}

function hex(digit: number): string {
  return digit < 10 ? String(digit) : `[${digit.toString(16)}${digit.toString(16).toUpperCase()}]`;
}

/**
 * The characters that the value alone decides, for each of the three places it can have inside a longer base64 text.
 * The character at either end depends on the neighbours too and is left out.
 */
function base64Cores(secret: string): string[] {
  const bytes = Buffer.from(secret);
  return [0, 1, 2].map((offset) => {
    const encoded = Buffer.concat([Buffer.alloc(offset), bytes])
      .toString("base64")
      .replace(/=+$/, "");
    const first = Math.ceil((offset * 8) / 6);
    const last = Math.floor(((offset + bytes.length) * 8) / 6);
    return encoded.slice(first, last);
  });
}

function literal(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");
}
