import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { inReferenceOrder } from "../../src/connectors/reference-order.ts";

const named = (edges: Record<string, readonly string[]>) =>
  Object.entries(edges).map(([name, after]) => ({ name, after }));
const names = (found: readonly { readonly name: string }[]) => found.map(({ name }) => name);

describe("inReferenceOrder", () => {
  it("puts collections after those that they refer to", () => {
    const { order, cycles } = inReferenceOrder([
      { name: "payments", after: ["orders", "elsewhere"] },
      { name: "orders", after: ["customers", "orders"] },
      { name: "customers" },
    ]);
    expect(names(order)).toEqual(["customers", "orders", "payments"]);
    expect(cycles).toEqual([]);
  });

  it("reports cycles of references, and puts them after what they refer to and before what refers to them", () => {
    const { order, cycles } = inReferenceOrder(
      named({ last: ["a"], a: ["b"], b: ["c", "first"], c: ["a"], first: [], x: ["y"], y: ["x"] }),
    );
    expect(cycles.map(names).map((cycle) => cycle.sort())).toEqual(
      expect.arrayContaining([
        ["a", "b", "c"],
        ["x", "y"],
      ]),
    );
    const place = (name: string) => names(order).indexOf(name);
    expect(place("first")).toBeLessThan(Math.min(place("a"), place("b"), place("c")));
    expect(place("last")).toBeGreaterThan(Math.max(place("a"), place("b"), place("c")));
  });

  it("keeps the given order within a cycle", () => {
    for (const edges of [
      { a: ["b"], b: ["c"], c: ["a"] },
      { a: ["c"], b: ["a"], c: ["b"] },
    ]) {
      const { order, cycles } = inReferenceOrder(named(edges));
      expect([names(order), cycles.map(names)]).toEqual([["a", "b", "c"], [["a", "b", "c"]]]);
    }
  });

  it("returns every collection once, after all that it refers to outside its own cycle", () => {
    const graph = fc.array(fc.array(fc.nat(14), { maxLength: 4 }), { maxLength: 15 });
    fc.assert(
      fc.property(graph, (edges) => {
        const all = edges.map((after, at) => ({ name: `t${at}`, after: after.map((to) => `t${to}`) }));
        const { order, cycles } = inReferenceOrder(all);
        expect(names(order).sort()).toEqual(names(all).sort());
        const circle = new Map(cycles.flatMap((cycle, n) => cycle.map(({ name }) => [name, n] as const)));
        const places = new Map(names(order).map((name, place) => [name, place]));
        for (const { name, after } of all) {
          for (const other of after) {
            if (other === name || !places.has(other)) continue;
            const isTogether = circle.has(name) && circle.get(name) === circle.get(other);
            if (!isTogether) expect(places.get(other)).toBeLessThan(places.get(name) ?? -1);
          }
        }
        // Who is in a circle reaches itself.
        for (const name of circle.keys()) expect(reaches(all, name)).toBe(true);
      }),
    );
  });

  it("sorts a chain of 50,000 references", () => {
    const chain = Array.from({ length: 50_000 }, (_, n) => ({ name: `t${n}`, after: [`t${n + 1}`] }));
    expect(inReferenceOrder(chain).order[0]?.name).toBe("t49999");
  });
});

function reaches(all: readonly { name: string; after: readonly string[] }[], start: string): boolean {
  const seen = new Set<string>();
  const open = [...(all.find(({ name }) => name === start)?.after ?? [])].filter((name) => name !== start);
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (name === start) return true;
    if (seen.has(name)) continue;
    seen.add(name);
    open.push(...(all.find((one) => one.name === name)?.after ?? []));
  }
  return false;
}
