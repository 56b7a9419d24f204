import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { listsThatFit, parameterOf } from "../../../../src/connectors/supabase/api/condition.ts";
import { rowsOf } from "../../../services/http/scripted-http.ts";
import { never } from "../../../support/signal.ts";
import {
  ALL,
  BATCH,
  failureOf,
  KEY,
  openScripted,
  scriptedProject,
} from "../../../support/stores/scripted-project.ts";

const TOKEN = "eyJhbGciOiJub25lIn0.eyJyb2xlIjoic2VydmljZV9yb2xlIn0.canary";

const { server, project } = await scriptedProject();

describe("texts sent through the SDK", () => {
  it("the SDK keeps every digit of rows that are read", async () => {
    const text =
      '[{"id":9007199254740993,"n":1.50,"big":1e400,"j":{"deep":[123456789012345678901234567890]}}]';
    server.script = () => rowsOf(text);
    expect((await project.rows("t", ALL, never)).text).toBe(text);
  });

  it("the SDK keeps every digit of rows that are written", async () => {
    const text = '[{"id":9007199254740993,"n":1.50,"big":1e400,"j":{"z":"\\ud83d\\ude00 é😀"}}]';
    server.script = () => ({ status: 201, headers: { "content-range": "*/1" } });
    const rows = { text, columns: ["id", "n", "big", 'odd "name,  x'], onConflict: ["id"] };
    await expect(project.upsert("t", rows, never)).resolves.toBe(1);
    const [heard] = server.heard;
    expect(heard?.body).toBe(text);
    expect(heard?.query.get("columns")).toBe('id,n,big,"odd \\"name,  x"');
    expect(heard?.query.get("on_conflict")).toBe("id");
    expect(heard?.headers.prefer).toBe("resolution=merge-duplicates, return=minimal, count=exact");
    expect(heard?.headers["content-type"]).toBe("application/json");
    expect(heard?.headers["content-profile"]).toBe("public");
    expect(heard?.headers["dualsync-query"]).toBeUndefined();
  });

  it("the SDK keeps every digit of the arguments and the result of a function", async () => {
    server.script = () => rowsOf('{"answer":12345678901234567890.10}');
    await expect(project.rpc("f", '{"n":9007199254740993}', never)).resolves.toBe(
      '{"answer":12345678901234567890.10}',
    );
    expect(server.heard[0]).toMatchObject({
      method: "POST",
      path: "/rest/v1/rpc/f",
      body: '{"n":9007199254740993}',
    });
  });

  it("the SDK carries any JSON unchanged in both directions", async () => {
    await fc.assert(
      fc.asyncProperty(fc.json(), async (json) => {
        const page = `[{"j":${json}}]`;
        server.script = (heard) => rowsOf(heard.method === "GET" ? page : heard.body);
        expect((await project.rows("t", ALL, never)).text).toBe(page);
        await expect(project.rpc("f", json, never)).resolves.toBe(json);
      }),
      { numRuns: 50 },
    );
  });

  it("a project refuses to write a text with an unpaired surrogate", async () => {
    const error = await failureOf(project.upsert("t", { ...BATCH, text: '[{"id":"\ud800"}]' }, never));
    expect(error.exit).toBe("bug");
    expect(server.heard).toEqual([]);
  });
});

describe("requests to a project", () => {
  it("a request names columns and values exactly, whatever characters they contain", async () => {
    server.script = () => rowsOf("[]");
    const odd = 'a,b(c).d:e"f\\g%20+ü&=#\n';
    const query = {
      select: [{ column: "id" }, { column: odd, cast: "text", as: "order" }],
      where: [
        { column: odd, is: "gte", value: odd },
        { column: "select", in: [odd, "", "null"] },
        { column: "n", null: false },
        {
          any: [
            { column: "a", is: "gt", value: odd },
            {
              all: [
                { column: "b", in: ["1"] },
                { column: "c", null: true },
              ],
            },
          ],
        },
        { all: [{ column: "d", is: "eq", value: "" }] },
      ],
      order: ["id", odd],
      limit: 7,
      offset: 3,
    } as const;
    await project.rows("t", query, never);
    const quoted = '"a,b(c).d:e\\"f\\\\g%20+ü&=#\n"';
    expect([...(server.heard[0]?.query ?? [])]).toEqual([
      ["select", `id,"order":${quoted}::text`],
      ["limit", "7"],
      [quoted, `gte.${odd}`],
      ['"select"', `in.(${quoted},"","null")`],
      ["n", "not.is.null"],
      ["or", `(a.gt.${quoted},and(b.in.("1"),c.is.null))`],
      ["or", '(and(d.eq.""))'],
      ["order", `id.asc,${quoted}.asc`],
      ["offset", "3"],
    ]);
    expect(server.heard[0]?.headers).toMatchObject({ prefer: "timezone=UTC", "accept-profile": "public" });
  });

  it("a project refuses a condition with an unpaired surrogate, which would match another row", async () => {
    for (const where of [
      [{ column: "id", is: "eq", value: "\ud800" } as const],
      [{ column: "id", in: ["\udc00"] }],
    ])
      expect((await failureOf(project.rows("t", { ...ALL, where }, never))).exit).toBe("bug");
    expect(server.heard).toEqual([]);
  });

  it("a request for many keys is split into URLs that gateways accept", () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit: "grapheme", maxLength: 30 })),
        fc.integer({ min: 40, max: 400 }),
        (values, room) => {
          const lists = listsThatFit(values, room);
          expect(lists.flat()).toEqual(values);
          for (const list of lists) {
            const [, text] = parameterOf({ column: "id", in: list });
            if (list.length > 1)
              expect(new URLSearchParams([["", text]]).toString().length).toBeLessThanOrEqual(room + 12);
          }
        },
      ),
    );
    const uuids = Array.from({ length: 1000 }, () => "123e4567-e89b-12d3-a456-426614174000");
    expect(listsThatFit(uuids).map((list) => list.length)).toEqual([...Array(9).fill(108), 28]);
  });

  it("a request stays inside the REST path, whatever the table is called", async () => {
    server.script = () => rowsOf("[]");
    await project.rows("a/../b ü%", ALL, never);
    expect(server.heard[0]?.path).toBe("/rest/v1/a%2F..%2Fb%20%C3%BC%25");
    expect((await failureOf(project.rows("..", ALL, never))).exit).toBe("bug");
    expect(server.heard).toHaveLength(1);
  });

  it("a secret key is sent only as apikey, and a token also as authorization", async () => {
    server.script = () => rowsOf("[]");
    await project.rows("t", ALL, never);
    await (await openScripted(server, { key: TOKEN })).rows("t", ALL, never);
    expect(server.heard[0]?.headers).toMatchObject({ apikey: KEY });
    expect(server.heard[0]?.headers.authorization).toBeUndefined();
    expect(server.heard[1]?.headers).toMatchObject({ apikey: TOKEN, authorization: `Bearer ${TOKEN}` });
  });

  it("requests to a project reuse open connections", async () => {
    server.script = () => rowsOf("[]");
    await project.rows("t", ALL, never);
    const before = server.connections;
    for (let again = 0; again < 5; again++) await project.rows("t", ALL, never);
    expect(server.connections).toBe(before);
  });

  it("opening a project and reading rows prints nothing to the console", async () => {
    const warn = vi.spyOn(console, "warn").mockImplementation(() => undefined);
    await (await openScripted(server)).rows("t", ALL, never);
    expect(warn).not.toHaveBeenCalled();
    warn.mockRestore();
  });

  it("a deletion limits the rows that it may affect, and is refused without a condition", async () => {
    server.script = () => ({ status: 204, headers: { "content-range": "*/2" } });
    await expect(project.remove("t", [{ column: "id", in: ["1", "2"] }], 2, never)).resolves.toBe(2);
    expect(server.heard[0]).toMatchObject({ method: "DELETE", body: "" });
    expect(server.heard[0]?.headers.prefer).toBe(
      "handling=strict, max-affected=2, return=minimal, count=exact",
    );
    expect((await failureOf(project.remove("t", [], 2, never))).exit).toBe("bug");
    expect(server.heard).toHaveLength(1);
  });

  it("a count of rows is accepted only if it is exact", async () => {
    server.script = () => ({ ...rowsOf('[{"id":1}]', { "content-range": "0-0/12345678901" }), status: 206 });
    await expect(project.count("t", "id", [{ column: "a", is: "eq", value: "1" }], never)).resolves.toBe(
      12345678901,
    );
    expect(server.heard[0]?.headers.prefer).toBe("count=exact");
    expect(server.heard[0]?.address).toBe("/rest/v1/t?select=id&limit=1&a=eq.1");
    for (const range of ["0-0/*", "0-0/1e3", "0-0/", ""]) {
      server.script = () => rowsOf('[{"id":1}]', { "content-range": range });
      expect((await failureOf(project.count("t", "id", [], never))).message).toMatch(/exact row count/);
    }
  });
});
