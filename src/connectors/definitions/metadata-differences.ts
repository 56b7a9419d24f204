import { EJSON } from "bson";
import { RawValue } from "../../bson/leaf.ts";
import { typeName } from "../../bson/type-name.ts";
import { cutText } from "../../model/cut-text.ts";
import type { CollectionInfo, Metadata } from "../collection.ts";
import type { DescribedPair, MetadataDifference, Renamed } from "../powers/metadata.ts";
import { differingIndexParts, differingOptions, isMadeByServer } from "./definition.ts";
import { renamed } from "./renamed.ts";

const LONGEST_DETAIL = 1_000;
const LONGEST_VALUE = 200;
/** Shown before the place where two long texts part. */
const BEFORE = 60;

/**
 * In what two collections differ apart from their documents: options first, then indexes, each by name. Empty for a
 * collection and its complete copy. What servers hold the same is the same: see `differingOptions`.
 */
export function metadataDifferences(pair: DescribedPair): MetadataDifference[] {
  const { target, renames } = pair;
  const followed = renamed(pair.source, renames);
  const { info: source } = followed;
  if (source.type !== target.type) {
    const detail = `kind: source ${source.type}, target ${target.type}`;
    return [{ key: `collection ${target.name}`, sigil: "*", detail }];
  }
  return [
    ...optionDifferences(followed, target),
    ...indexDifferences(target, byName(pair.sourceIndexes), byName(pair.targetIndexes)),
  ];
}

function optionDifferences(
  { info: source, uncertain }: Renamed,
  target: CollectionInfo,
): MetadataDifference[] {
  const differing = new Set(differingOptions(source.options, target.options));
  return [...new Set([...differing, ...uncertain.keys()])].sort().map((name) => {
    const sides = [source.options.get(name), target.options.get(name)] as const;
    const key = `option ${target.name}/${name}`;
    const doubt = uncertain.get(name);
    const detail = differing.has(name) ? sidesText(...sides) : "";
    if (doubt === undefined) return { key, sigil: sigilOf(...sides), detail };
    return { key, sigil: "!", detail: detail === "" ? doubt : `${doubt}; ${detail}` };
  });
}

function sigilOf(source: unknown, target: unknown): MetadataDifference["sigil"] {
  if (target === undefined) return "+";
  return source === undefined ? "-" : "*";
}

function byName(indexes: readonly Metadata[]): ReadonlyMap<string, Metadata> {
  return new Map(indexes.map((index) => [String(index.get("name")), index]));
}

function indexDifferences(
  { name: collection, options }: CollectionInfo,
  source: ReadonlyMap<string, Metadata>,
  target: ReadonlyMap<string, Metadata>,
): MetadataDifference[] {
  const names = [...new Set([...source.keys(), ...target.keys()])].sort();
  return names.flatMap((name) => {
    const [one, other] = [source.get(name), target.get(name)];
    // Whoever creates the collection there gets this index, too.
    if (one === undefined && other !== undefined && isMadeByServer(other, options)) return [];
    const detail = indexDetail(one, other);
    return detail === "" ? [] : [{ key: `index ${collection}/${name}`, sigil: sigilOf(one, other), detail }];
  });
}

/** Empty when they are the same. */
function indexDetail(source: Metadata | undefined, target: Metadata | undefined): string {
  if (source === undefined) return `only in the target: ${indexText(target)}`;
  if (target === undefined) return `only in the source: ${indexText(source)}`;
  const parts = differingIndexParts(source, target);
  const texts = parts.map((part) => `${part}: ${sidesText(source.get(part), target.get(part))}`);
  return cutText(texts.join("; "), LONGEST_DETAIL);
}

/** Without its name, which is shown already, and the version of the format it is stored in. */
function indexText(index: Metadata | undefined): string {
  return definitionText(new Map([...(index ?? [])].filter(([part]) => part !== "name" && part !== "v")));
}

/** "source true, target absent": what two sides say, cut around the first place where they differ. */
function sidesText(source: unknown, target: unknown): string {
  const plain = [source, target].map((value) => textOf(value, true));
  // Values that differ in their types alone.
  const [one = "", other = ""] =
    plain[0] === plain[1] ? [textOf(source, false), textOf(target, false)] : plain;
  let place = 0;
  while (place < one.length && one[place] === other[place]) place++;
  return `source ${around(one, place)}, target ${around(other, place)}`;
}

/** A part of a definition as Extended JSON, fields in stored order, cut. */
function definitionText(value: unknown): string {
  return cutText(textOf(value, true), LONGEST_VALUE);
}

function around(text: string, place: number): string {
  if (text.length <= LONGEST_VALUE || place < LONGEST_VALUE - BEFORE) return cutText(text, LONGEST_VALUE);
  return `…${cutText(text.slice(place - BEFORE).replace(/^[\udc00-\udfff]/, ""), LONGEST_VALUE)}`;
}

/** Written here and not by EJSON, which would move names that look like numbers to the front. */
function textOf(value: unknown, relaxed: boolean): string {
  if (value === undefined) return "absent";
  if (value instanceof Map) {
    const fields = [...value].map(([name, inner]) => `${JSON.stringify(name)}:${textOf(inner, relaxed)}`);
    return `{${fields.join(",")}}`;
  }
  if (Array.isArray(value)) return `[${value.map((inner) => textOf(inner, relaxed)).join(",")}]`;
  if (value instanceof RawValue)
    return `${typeName(value.type)} 0x${Buffer.from(value.bytes).toString("hex")}`;
  return EJSON.stringify(value, { relaxed });
}
