import { cutText } from "../../../model/cut-text.ts";
import type { CollectionInfo, Metadata } from "../../collection.ts";
import type { DescribedPair, MetadataDifference, Renamed } from "../../powers/metadata.ts";
import { differingIndexParts, differingOptions } from "./definition.ts";
import { definitionText, sidesText } from "./definition-text.ts";
import { renamed } from "./renamed.ts";

const LONGEST = 1_000;

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
    ...indexDifferences(target.name, byName(pair.sourceIndexes), byName(pair.targetIndexes)),
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
  collection: string,
  source: ReadonlyMap<string, Metadata>,
  target: ReadonlyMap<string, Metadata>,
): MetadataDifference[] {
  const names = [...new Set([...source.keys(), ...target.keys()])].sort();
  return names.flatMap((name) => {
    const [one, other] = [source.get(name), target.get(name)];
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
  return cutText(texts.join("; "), LONGEST);
}

/** Without its name, which is shown already, and the version of the format it is stored in. */
function indexText(index: Metadata | undefined): string {
  return definitionText(new Map([...(index ?? [])].filter(([part]) => part !== "name" && part !== "v")));
}
