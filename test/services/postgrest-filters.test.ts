import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Postgrest, startPostgrest } from "./postgrest.ts";

let gateway: Postgrest;

beforeAll(async () => {
  gateway = await startPostgrest();
  await gateway.query(`create table words (id int primary key, word text, "a ""b"", (c)\\d" text)`);
  await gateway.reload();
});

afterAll(async () => {
  await gateway.stop();
});

/** Text that Postgres can hold: of any character but NUL, and more often of those that mean something in a filter. */
const text = fc
  .array(
    fc.oneof(
      fc.constantFrom(..."\",.()\\{}*:%_-> ;'+&=#"),
      fc.string({ unit: "binary", minLength: 1, maxLength: 1 }),
    ),
    { maxLength: 12 },
  )
  .map((characters) => characters.join("").replaceAll("\0", ""));

async function ids(query: Record<string, string>): Promise<unknown> {
  const response = await fetch(
    `${gateway.url}/rest/v1/words?${new URLSearchParams({ select: "id", ...query })}`,
    {
      headers: { apikey: gateway.serviceKey },
    },
  );
  return response.json();
}

function quoted(value: string): string {
  return `"${value.replace(/["\\]/g, "\\$&")}"`;
}

test("a value finds its own row in each kind of filter, and no other", async () => {
  const property = fc.asyncProperty(text, text, async (value, other) => {
    fc.pre(value !== other);
    const body = JSON.stringify([value, other].map((word, id) => ({ id, word, 'a "b", (c)\\d': word })));
    const written = await fetch(`${gateway.url}/rest/v1/words`, {
      method: "POST",
      headers: {
        apikey: gateway.serviceKey,
        "Content-Type": "application/json",
        Prefer: "resolution=merge-duplicates",
      },
      body,
    });
    expect(written.ok).toBe(true);
    const column = quoted('a "b", (c)\\d');
    const found = [{ id: 0 }];
    expect(await ids({ word: `eq.${value}` })).toEqual(found);
    expect(await ids({ [column]: `eq.${value}` })).toEqual(found);
    expect(await ids({ word: `in.(${quoted(value)},${quoted(`${value}${other}x`)})` })).toEqual(found);
    expect(await ids({ or: `(word.eq.${quoted(value)},id.eq.9)` })).toEqual(found);
    expect(await ids({ and: `(${column}.eq.${quoted(value)},${column}.not.in.(${quoted(other)}))` })).toEqual(
      found,
    );
  });
  await fc.assert(property, { numRuns: 40 });
});
