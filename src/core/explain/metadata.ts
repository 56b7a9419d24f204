import { differingIndexParts, differingOptions } from "../../bson/definition.ts";
import type { CollectionInfo, Metadata } from "../../connectors/contract.ts";
import type { Sigil } from "../../model/reporter.ts";
import { type Renamed, renamed } from "../plan/renamed.ts";
import { definitionText, sidesText } from "./definition-text.ts";
import { cutText } from "./pointer.ts";

const LONGEST = 1_000;

export interface MetadataDifference {
  /** As the losses of a copy are named, after the target's collection. */
  readonly key: string;
  /** `+`: only in the source. `-`: only in the target. `!`: whether it means the same cannot be told. */
  readonly sigil: Sigil & ("+" | "-" | "*" | "!");
  /** In words. Holds names, and parts of definitions, which are hostile data. */
  readonly detail: string;
}

/** A collection and its copy; undefined where there is none. */
export interface DescribedPair {
  readonly source: CollectionInfo | undefined;
  readonly target: CollectionInfo | undefined;
  readonly sourceIndexes: readonly Metadata[];
  readonly targetIndexes: readonly Metadata[];
  /** Old name → new name, of all collections: a view on a renamed one follows it. */
  readonly renames: ReadonlyMap<string, string>;
}

/**
 * In what two collections differ but for their documents: options first, then indexes, each by name. Empty for a
 * collection and its complete copy. What servers hold the same is the same: see `differingOptions`.
 */
export function metadataDifferences(pair: DescribedPair): MetadataDifference[] {
  const { target, renames } = pair;
  const followed = pair.source && renamed(pair.source, renames);
  if (followed === undefined || target === undefined) return oneSided(followed?.info, target);
  const { info: source } = followed;
  if (source.kind !== target.kind) {
    const detail = `kind: source ${source.kind}, target ${target.kind}`;
    return [{ key: `collection ${target.name}`, sigil: "*", detail }];
  }
  return [
    ...optionDifferences(followed, target),
    ...indexDifferences(target.name, byName(pair.sourceIndexes), byName(pair.targetIndexes)),
  ];
}

function oneSided(
  source: CollectionInfo | undefined,
  target: CollectionInfo | undefined,
): MetadataDifference[] {
  const there = source ?? target;
  if (there === undefined) return [];
  const [sigil, side] = source === undefined ? (["-", "target"] as const) : (["+", "source"] as const);
  const what = there.kind === "collection" ? "collection" : `${there.kind} collection`;
  const detail = `only in the ${side}: a ${there.kind === "view" ? "view" : what}`;
  return [{ key: `collection ${there.name}`, sigil, detail }];
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

/** Without its name, which is told already, and the version of the format it is stored in. */
function indexText(index: Metadata | undefined): string {
  return definitionText(new Map([...(index ?? [])].filter(([part]) => part !== "name" && part !== "v")));
}
