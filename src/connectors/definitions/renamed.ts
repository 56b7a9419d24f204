/** A collection under the names that collections have in the copy: its own, and those that its definition reads from. */
import { BSONSymbol, Code, serialize } from "bson";
import { RawValue } from "../../bson/leaf.ts";

import { cutText } from "../../model/cut-text.ts";
import type { CollectionInfo } from "../collection.ts";
import type { Renamed } from "../powers/metadata.ts";

/** Characters of a cause: a pipeline has up to a thousand stages. */
const LONGEST = 1_000;

/** Old name → new name, of all collections. */
type Renames = ReadonlyMap<string, string>;

/** Gives the collection its new name; a view follows the collections that it reads from, at any depth of its pipeline. */
export function renamed(from: CollectionInfo, renames: Renames): Renamed {
  if (renames.size === 0) return { info: from, uncertain: new Map() };
  const options = new Map(from.options);
  const uncertain = new Map<string, string>();
  for (const [name, shape] of NAMING_OPTIONS) {
    if (!options.has(name)) continue;
    const reading = new OptionReading(renames);
    options.set(name, reading.follow(options.get(name), shape));
    if (reading.doubts.size > 0) uncertain.set(name, cutText([...reading.doubts].join("; "), LONGEST));
  }
  return { info: { ...from, name: renames.get(from.name) ?? from.name, options }, uncertain };
}

/**
 * Where a value names collections. `nowhere`: its texts are fields, values, names of indexes. `unknown`: it may. `name`: it is
 * one. `branches`: a document with a pipeline in each field. A Map: a document with no other fields than these.
 */
type OptionShape =
  | "nowhere"
  | "unknown"
  | "name"
  | "pipeline"
  | "branches"
  | ReadonlyMap<string, OptionShape>;

const shape = (fields: Readonly<Record<string, OptionShape>>): OptionShape => new Map(Object.entries(fields));

/** Options that name collections. */
const NAMING_OPTIONS: ReadonlyMap<string, OptionShape> = new Map<string, OptionShape>([
  ["viewOn", "name"],
  ["pipeline", "pipeline"],
  // It names the collections in which a server keeps what belongs to encrypted fields, and a server insists on their names.
  ["encryptedFields", "unknown"],
]);

const NAMELESS_STAGES = [
  ...[
    "$addFields",
    "$bucket",
    "$bucketAuto",
    "$count",
    "$densify",
    "$documents",
    "$fill",
    "$geoNear",
    "$group",
  ],
  ...["$limit", "$match", "$project", "$redact", "$replaceRoot", "$replaceWith", "$sample", "$search"],
  ...["$searchMeta", "$set", "$setWindowFields", "$skip", "$sort", "$sortByCount", "$unset", "$unwind"],
  "$vectorSearch",
];

const UNION: OptionShape = shape({ coll: "name", pipeline: "pipeline" });
const FUSION: Readonly<Record<string, OptionShape>> = { combination: "nowhere", scoreDetails: "nowhere" };

/** Stages of which it is known where they name collections; each as it may be written. */
const STAGES: ReadonlyMap<string, readonly OptionShape[]> = new Map<string, readonly OptionShape[]>([
  ...NAMELESS_STAGES.map((name) => [name, ["nowhere"]] as const),
  [
    "$lookup",
    [
      shape({
        from: "name",
        pipeline: "pipeline",
        localField: "nowhere",
        foreignField: "nowhere",
        let: "nowhere",
        as: "nowhere",
      }),
    ],
  ],
  [
    "$graphLookup",
    [
      shape({
        from: "name",
        startWith: "nowhere",
        connectFromField: "nowhere",
        connectToField: "nowhere",
        as: "nowhere",
        maxDepth: "nowhere",
        depthField: "nowhere",
        restrictSearchWithMatch: "nowhere",
      }),
    ],
  ],
  ["$unionWith", ["name", UNION]],
  ["$facet", ["branches"]],
  ["$rankFusion", [shape({ input: shape({ pipelines: "branches" }), ...FUSION })]],
  ["$scoreFusion", [shape({ input: shape({ pipelines: "branches", normalization: "nowhere" }), ...FUSION })]],
]);

/** Before the name of a time-series: the collection in which a server keeps it. */
const BUCKETS = "system.buckets.";

function fits(value: unknown, shape: OptionShape): boolean {
  switch (shape) {
    case "nowhere":
    case "unknown":
      return true;
    case "name":
      return typeof value === "string";
    case "pipeline":
      return Array.isArray(value);
    case "branches":
      return value instanceof Map && [...value.values()].every(Array.isArray);
    default:
      return value instanceof Map && [...value].every(([name, part]) => fitsPart(part, shape.get(name)));
  }
}

function fitsPart(part: unknown, shape: OptionShape | undefined): boolean {
  return shape !== undefined && fits(part, shape);
}

/** Reads one option, a tree as `toOrdered` makes it, and collects what is not certain about it. */
class OptionReading {
  readonly doubts = new Set<string>();
  readonly #renames: Renames;
  /** New name → old name, of new names that mean another collection in the source, or none. */
  readonly #taken: Renames;

  constructor(renames: Renames) {
    this.#renames = renames;
    this.#taken = new Map([...renames].flatMap(([from, to]) => (renames.has(to) ? [] : [[to, from]])));
  }

  /** The value as it should be in the copy. What does not have the shape stays as it is. */
  follow(value: unknown, shape: OptionShape): unknown {
    if (shape === "nowhere") return value;
    if (shape === "unknown" || !fits(value, shape)) return this.#candidate(value, "it");
    if (typeof value === "string") return this.#name(value);
    if (Array.isArray(value)) return value.map((stage) => this.#stage(stage));
    if (!(value instanceof Map)) return value;
    const inner = (name: string): OptionShape =>
      typeof shape === "string" ? "pipeline" : (shape.get(name) ?? "unknown");
    return new Map([...value].map(([name, part]) => [name, this.follow(part, inner(name))]));
  }

  #stage(stage: unknown): unknown {
    const [first, ...more] = stage instanceof Map ? [...stage] : [];
    if (first === undefined || more.length > 0) return this.#candidate(stage, "one of its stages");
    const [name, value] = first;
    const shape = STAGES.get(name)?.find((one) => fits(value, one));
    if (shape === undefined) return this.#candidate(stage, `its stage ${name}`);
    return new Map([[name, this.follow(value, shape)]]);
  }

  #name(name: string): string {
    const [before, own] = name.startsWith(BUCKETS) ? [BUCKETS, name.slice(BUCKETS.length)] : ["", name];
    const to = this.#renames.get(own);
    if (to !== undefined) return before + to;
    const former = this.#taken.get(own);
    if (former !== undefined)
      this.doubts.add(`it reads from ${own}, which in the copy is the source's ${former}`);
    return name;
  }

  /** What is not known may name collections: then it would, at some place, hold a name that means another one in the copy. */
  #candidate(value: unknown, what: string): unknown {
    for (const [from, to] of [...this.#renames, ...this.#taken].filter(([name]) => holds(value, name)))
      this.doubts.add(
        this.#renames.has(from)
          ? `${what} contains the name ${from}, which may mean what is ${to} in the copy`
          : `${what} contains the name ${from}, which in the copy is the source's ${to}`,
      );
    return value;
  }
}

/** Whether a text in it, or the name of a field, is this one; of what is not known as text, whether its bytes are in there. */
function holds(value: unknown, name: string): boolean {
  if (value instanceof Map)
    return [...value].some(([field, part]) => holds(String(field).split("\0")[0], name) || holds(part, name));
  if (Array.isArray(value)) return value.some((part) => holds(part, name));
  if (value instanceof RawValue) return Buffer.from(value.bytes).includes(name);
  if (value instanceof Code) return Buffer.from(serialize({ v: value })).includes(name);
  const text: unknown = value instanceof BSONSymbol ? value.value : value;
  return text === name || text === BUCKETS + name;
}
