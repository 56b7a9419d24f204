import fc from "fast-check";
import { TYPE } from "../../../src/bson/elements.ts";
import type { BsonValue } from "../../bson/bson-bytes.ts";
import * as bson from "../../bson/bson-bytes.ts";

/** A document before it is written: so that equality is known without reading BSON. */
export type Tree =
  | { readonly kind: "leaf"; readonly value: BsonValue }
  | { readonly kind: "array"; readonly items: readonly Tree[] }
  | { readonly kind: "object"; readonly fields: readonly (readonly [name: string, Tree])[] };

const leaf: fc.Arbitrary<Tree> = fc
  .constantFrom(
    bson.int32(1),
    bson.int64(1n),
    bson.double(1),
    bson.bare(TYPE.null),
    bson.text(TYPE.string, "x"),
    bson.text(TYPE.symbol, "x"),
    bson.boolean(true),
  )
  .map((value) => ({ kind: "leaf", value }));

/** Few names, repeated ones among them. */
const name = fc.constantFrom("a", "b", "c", "1", "0", "");

const { tree } = fc.letrec<{ tree: Tree; object: Tree }>((tie) => ({
  tree: fc.oneof(
    { weight: 5, arbitrary: leaf },
    { weight: 2, arbitrary: tie("object") },
    {
      weight: 1,
      arbitrary: fc.array(tie("tree"), { maxLength: 3 }).map((items): Tree => ({ kind: "array", items })),
    },
  ),
  object: fc
    .array(fc.tuple(name, tie("tree")), { maxLength: 4 })
    .map((fields): Tree => ({ kind: "object", fields })),
}));

/** A whole document, of few parts. */
export const anyDocument: fc.Arbitrary<Tree> = fc
  .array(fc.tuple(name, tree), { maxLength: 5 })
  .map((fields) => ({ kind: "object", fields }));

export function written(tree: Tree): BsonValue {
  if (tree.kind === "leaf") return tree.value;
  if (tree.kind === "array") return bson.array(tree.items.map(written));
  return bson.object(tree.fields.map(([name, value]) => [name, written(value)]));
}

/** The same tree with its fields, and where `arrays` says so the items of its arrays, in another order. */
export function shuffled(tree: Tree, arrays: boolean, random: () => number): Tree {
  if (tree.kind === "leaf") return tree;
  if (tree.kind === "array") {
    const items = tree.items.map((item) => shuffled(item, arrays, random));
    return { kind: "array", items: arrays ? inAnyOrder(items, random) : items };
  }
  const fields = tree.fields.map(([name, value]) => [name, shuffled(value, arrays, random)] as const);
  return { kind: "object", fields: inAnyOrder(fields, random) };
}

function inAnyOrder<T>(list: readonly T[], random: () => number): T[] {
  return list
    .map((item) => ({ item, place: random() }))
    .sort((a, b) => a.place - b.place)
    .map(({ item }) => item);
}

/** Equal for two trees exactly when they differ in the order of fields of other names alone. */
export function withoutFieldOrder(tree: Tree): string {
  if (tree.kind === "leaf") return `${tree.value.type}:${tree.value.bytes.toString("hex")}`;
  if (tree.kind === "array") return `[${tree.items.map(withoutFieldOrder).join(",")}]`;
  const fields = tree.fields.map(([name, value], place) => ({ name, value, place }));
  fields.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : a.place - b.place));
  return `{${fields.map(({ name, value }) => `${name}=${withoutFieldOrder(value)}`).join(",")}}`;
}
