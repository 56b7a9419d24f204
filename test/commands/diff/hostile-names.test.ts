import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "parse5";
import { expect, it } from "vitest";
import { compare, folder } from "../../support/compared.ts";
import { serverPair } from "../../support/stores/pair.ts";

const pair = serverPair();

const NAMES = [
  "\u001b[2J\u001b]0;owned\u0007",
  "a\r\nIdentical.",
  "\u202etxet\u2066",
  "<script>alert(1)</script>",
  '"><img src=x onerror=alert(1)>',
  "</td></table><h1>Identical</h1>",
  "\u0085\u2028\u2029\u200b\ufeff",
  "%s%n{{7*7}}`",
  "n".repeat(200),
  "𝕏🏴‍☠️é",
];

it("shows hostile names, ids and fields escaped in the terminal, in JSON and on the page", async () => {
  for (const [side, client] of [pair.from, pair.to].entries()) {
    const db = client.db(pair.database);
    for (const [n, name] of NAMES.entries()) {
      const collection = `${n}${name.replaceAll("$", "S").replaceAll("\0", "")}`.slice(0, 150);
      await db
        .collection<{ _id: string }>(collection)
        .insertMany([
          { _id: name, [`${name.replaceAll(".", "")}`]: `${name} ${side}` },
          { _id: `${name} ${side}` },
        ]);
    }
    await db.collection("orders").createIndex({ n: side === 0 ? 1 : -1 }, { name: "<b>\u001b[31m\u202e" });
  }
  const cwd = folder();
  const text = await pair.run(
    ["diff", "--settle", "0", "--values", "--verbose", "--report", "r.html", "--plan", "p.plan"],
    cwd,
  );
  expect(text.code).toBe(1);
  const said = text.stdout + text.stderr;
  expect(said.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\u202a-\u202e\u2066-\u2069\u2028\u2029\u0085]/u);
  expect(said).not.toMatch(/^Identical/m);

  const json = await compare(pair, ["--values"], { cwd });
  expect(json.differences.length).toBe(3 * NAMES.length + 1);
  expect(json.stdout.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);

  const page = readFileSync(join(cwd, "r.html"), "utf8");
  const tags = new Map<string, number>();
  const handlers: string[] = [];
  const visit = (node: { tagName?: string; attrs?: { name: string }[]; childNodes?: unknown[] }): void => {
    if (node.tagName !== undefined) tags.set(node.tagName, (tags.get(node.tagName) ?? 0) + 1);
    handlers.push(...(node.attrs ?? []).map(({ name }) => name).filter((name) => /^on|^src$/.test(name)));
    for (const child of node.childNodes ?? []) visit(child as typeof node);
  };
  visit(parse(page) as Parameters<typeof visit>[0]);
  expect([tags.get("script"), tags.get("img"), tags.get("h1"), handlers]).toEqual([
    undefined,
    undefined,
    1,
    [],
  ]);
  expect(page).not.toMatch(/[\u202a-\u202e\u2066-\u2069]|\p{Cc}(?<![\n\t])/u);

  const plan = readFileSync(join(cwd, "p.plan"), "utf8").trim().split("\n");
  expect(plan.length).toBe(3 * NAMES.length + 2);
  for (const line of plan) expect(JSON.parse(line)).toBeTypeOf("object");
});

it("accepts differences with hostile names by the keys that it shows", async () => {
  for (const [side, client] of [pair.from, pair.to].entries())
    await client
      .db(pair.database)
      .collection<{ _id: string; side: number }>("orders")
      .insertMany(NAMES.map((name) => ({ _id: name, side })));
  const compared = await compare(pair);
  const accept = compared.differences.flatMap(({ key }) => ["--accept", String(key)]);
  expect(accept.length).toBe(2 * NAMES.length);
  expect((await compare(pair, accept)).code).toBe(0);
  expect((await compare(pair, accept.slice(2))).code).toBe(1);
});

it("gives ids that look alike when they are shown different keys", async () => {
  const ids = ["a\u202eb", "ab", "a\\u202eb", "a\u200bb", "a b", "a\u00a0b"];
  await pair.from
    .db(pair.database)
    .collection<{ _id: string }>("orders")
    .insertMany(ids.map((_id) => ({ _id })));
  await pair.to.db(pair.database).createCollection("orders");
  const compared = await compare(pair);
  const keys = compared.differences.map(({ key }) => String(key));
  expect(new Set(keys).size).toBe(ids.length);
  const all = keys.flatMap((key) => ["--accept", key]);
  expect((await compare(pair, all.slice(2))).code).toBe(1);
});
