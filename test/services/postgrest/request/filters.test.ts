import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Postgrest, startPostgrest } from "../postgrest.ts";

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

test("each kind of filter finds exactly the row with a given value", async () => {
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

test("a filter without enough quoting matches other rows instead of failing", async () => {
  await gateway.query("truncate words; insert into words values (1, 'a'), (2, 'a)b'), (3, ''), (4, 'x.y')");
  expect(await ids({ word: "in.(a)b)" })).toEqual([{ id: 1 }]);
  expect(await ids({ word: 'in.("a)b")' })).toEqual([{ id: 2 }]);
  expect(await ids({ "word(x)": "eq.a" })).toEqual([{ id: 1 }]);
  expect(await ids({ or: "(word.eq.a)b)" })).toEqual([{ id: 1 }]);
  expect(await ids({ word: "is.nullable" })).toEqual([]);
  expect(await ids({ "word.x": "eq.a" })).toMatchObject({ code: "PGRST108" });
});

test("a list filter with a single empty text finds nothing, even if the row exists", async () => {
  await gateway.query("truncate words; insert into words values (3, '')");
  expect(await ids({ word: "eq." })).toEqual([{ id: 3 }]);
  expect(await ids({ word: 'in.("")' })).toEqual([]);
  expect(await ids({ word: 'in.("",x)' })).toEqual([{ id: 3 }]);
});

test("a value can be compared with any or all of several values", async () => {
  await gateway.query("truncate words; insert into words values (1, 'ab'), (2, 'bc'), (3, 'cd')");
  expect(await ids({ word: "eq(any).{ab,cd}", order: "id" })).toEqual([{ id: 1 }, { id: 3 }]);
  expect(await ids({ or: "(word.like(all).{*b*,*c*},id.eq.9)" })).toEqual([{ id: 2 }]);
});
