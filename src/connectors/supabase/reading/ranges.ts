/** Cutting a table into ranges of its key. */
import { TYPE } from "../../../bson/elements.ts";
import { DocumentId } from "../../../model/document.ts";
import type { IdRange } from "../../collection.ts";
import type { Project } from "../api/project.ts";
import { keyTexts } from "../mapping/key.ts";
import type { Table } from "../schema/table.ts";
import { rowsOf } from "./rows.ts";

/** A key that can be counted with: whole numbers, and what stands for them. */
interface Scale {
  /** The least and the greatest; undefined: there are no rows. */
  ends(signal: AbortSignal): Promise<readonly [bigint, bigint] | undefined>;
  number(text: string): bigint;
  id(number: bigint): DocumentId;
}

const INTEGERS = new Set(["int2", "int4", "int8"]);
const LAST_UUID = 2n ** 128n - 1n;

/**
 * Half-open ranges that tile `within`, as wide as each other: rows that lie close together make some of them longer.
 * Other keys than whole numbers and UUIDs are not cut.
 */
export async function cutKeys(
  project: Project,
  table: Table,
  { pieces, within = {} }: { readonly pieces: number; readonly within?: IdRange | undefined },
  signal: AbortSignal,
): Promise<readonly IdRange[]> {
  const scale = scaleOf(project, table);
  if (pieces < 2 || scale === undefined) return [within];
  const ends = await endsOf(scale, table, within, signal);
  if (ends === undefined) return [within];
  const bounds = between(ends, BigInt(pieces)).map((number) => scale.id(number));
  const all = [within.from, ...bounds, within.to];
  return all.slice(0, -1).map((from, i) => ({ from, to: all[i + 1] }));
}

async function endsOf(
  scale: Scale,
  table: Table,
  { from, to }: IdRange,
  signal: AbortSignal,
): Promise<readonly [bigint, bigint] | undefined> {
  const number = (id: DocumentId): bigint | undefined => {
    const text = keyTexts(table, id)?.[0];
    return text === undefined ? undefined : scale.number(text);
  };
  const whole = from === undefined || to === undefined ? await scale.ends(signal) : undefined;
  const least = from === undefined ? whole?.[0] : number(from);
  const greatest = to === undefined ? whole?.[1] : number(to);
  return least === undefined || greatest === undefined || least >= greatest ? undefined : [least, greatest];
}

/** Numbers that part what lies between the two, each once, neither of them among them. */
function between([least, greatest]: readonly [bigint, bigint], pieces: bigint): bigint[] {
  const width = greatest - least;
  const numbers = new Set<bigint>();
  for (let i = 1n; i < pieces; i++) numbers.add(least + (width * i) / pieces);
  numbers.delete(least);
  return [...numbers];
}

function scaleOf(project: Project, table: Table): Scale | undefined {
  const [name, ...others] = table.key;
  const type = table.columns.find((column) => column.name === name)?.type;
  if (name === undefined || type === undefined || others.length > 0) return undefined;
  if (type === "uuid") return UUIDS;
  return INTEGERS.has(type) ? integers(project, table) : undefined;
}

const UUIDS: Scale = {
  ends: async () => [0n, LAST_UUID],
  number: (text) => BigInt(`0x${text.replaceAll("-", "")}`),
  id(number) {
    const hex = number.toString(16).padStart(32, "0");
    const parts = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)];
    return new DocumentId(stringElement(parts.join("-")));
  },
};

function integers(project: Project, table: Table): Scale {
  const rows = rowsOf(project, table);
  const number = BigInt;
  return {
    number,
    async ends(signal) {
      const [least, greatest] = await Promise.all([rows.end("first", signal), rows.end("last", signal)]);
      const texts = [least, greatest].map((id) => (id === undefined ? undefined : keyTexts(table, id)?.[0]));
      const [from, to] = texts;
      return from === undefined || to === undefined ? undefined : [number(from), number(to)];
    },
    id(value) {
      const element = Buffer.alloc(9);
      element[0] = TYPE.int64;
      element.writeBigInt64LE(value, 1);
      return new DocumentId(element);
    },
  };
}

function stringElement(text: string): Uint8Array {
  const bytes = Buffer.byteLength(text);
  const element = Buffer.alloc(1 + 4 + bytes + 1);
  element[0] = TYPE.string;
  element.writeInt32LE(bytes + 1, 1);
  element.write(text, 5);
  return element;
}
