import { createHash } from "node:crypto";
import type { EntryValue, StreamEntry } from "../entry/entry.ts";

/** What a key holds, as `digest-lua.ts` has the server say it. */
export function contentDigest(content: EntryValue): string {
  switch (content.type) {
    case "string":
    case "json":
      return `${content.value.length}:${sha1(content.value)}`;
    case "list":
      return `${content.value.length}:${content.value.reduce((hash, member) => sha1(hash, member), sha1())}`;
    case "set":
      return sumOf(content.value.map((member) => [member]));
    case "hash":
      return sumOf(content.value.map(([field, value]) => [`${field.length}:`, field, value]));
    case "zset":
      return sumOf(content.value.map(([member, score]) => [`${scoreText(score)} `, member]));
    case "stream": {
      const { entries, lastId } = content.value;
      return `${entries.length}:${sha1(entries.reduce(withEntry, sha1()), lastId)}`;
    }
  }
}

type DigestPart = string | Uint8Array;

function sha1(...pieces: readonly DigestPart[]): string {
  const hash = createHash("sha1");
  for (const piece of pieces) hash.update(piece);
  return hash.digest("hex");
}

function withEntry(hash: string, { id, fields }: StreamEntry): string {
  const parts = fields.flat();
  return parts.reduce((before, part) => sha1(before, part), sha1(hash, id, ` ${parts.length}`));
}

/** Of parts that have no order. */
function sumOf(parts: readonly (readonly DigestPart[])[]): string {
  const sum = new Uint32Array(5);
  for (const pieces of parts) {
    const hash = createHash("sha1");
    for (const piece of pieces) hash.update(piece);
    const digest = hash.digest();
    for (let word = 0; word < 5; word++) sum[word] = (sum[word] as number) + digest.readUInt32BE(4 * word);
  }
  return `${parts.length}:${[...sum].join(".")}`;
}

/** The highest bit of a fraction, which a double does not store. */
const IMPLIED = 1n << 52n;

/** Exactly, and in the same characters whatever prints numbers: a whole number of 53 bits and a power of two. */
function scoreText(score: number): string {
  if (!Number.isFinite(score)) return score > 0 ? "inf" : "-inf";
  if (score === 0) return "0";
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, Math.abs(score));
  const isTiny = view.getUint16(0) >> 4 === 0;
  if (isTiny) view.setFloat64(0, Math.abs(score) * 2 ** 54);
  const exponent = (view.getUint16(0) >> 4) - 1022 - (isTiny ? 54 : 0);
  const fraction = (view.getBigUint64(0) & (IMPLIED - 1n)) | IMPLIED;
  return `${score < 0 ? "-" : ""}${fraction}p${exponent}`;
}
