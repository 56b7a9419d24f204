import { describe, expect, it } from "vitest";
import { TYPE } from "../../../../src/bson/elements.ts";
import { rowsOf as tableOf } from "../../../../src/connectors/supabase/reading/rows.ts";
import type { Table } from "../../../../src/connectors/supabase/schema/table.ts";
import { supabase } from "../../../../src/connectors/supabase/supabase.ts";
import { shortfall } from "../../../../src/core/walk/shortfall.ts";
import type { Batch } from "../../../../src/model/document.ts";
import { DocumentId } from "../../../../src/model/document.ts";
import { type Heard, rowsOf, type Said } from "../../../services/http/scripted-http.ts";
import { never } from "../../../support/signal.ts";
import { failureOf, KEY, openScripted, scriptedProject } from "../../../support/stores/scripted-project.ts";

/** A table in this process behind a server that answers as a test wants. */
const NUMBERS: Table = table("int4");
const WORDS: Table = table("text");
const ROWS = 25;
const PAGE = 10;

const scripted = await scriptedProject();
const { server } = scripted;
let { project } = scripted;

function table(type: string): Table {
  const column = { name: "id", type, nullable: false, hasDefault: false };
  return { name: "t", columns: [column], key: ["id"], references: [], writable: true };
}

/** The rows that a request is for, of those that are there. */
function asked({ query }: Heard, rows = ROWS): number[] {
  const after = Number(/^gte?\.w?(\d+)/.exec(query.get("id") ?? "")?.[1] ?? 0);
  return Array.from({ length: rows }, (_, i) => i + 1).filter((id) => id > after);
}

const isCount = (heard: Heard): boolean => /count=exact/.test(String(heard.headers.prefer));

function answer(heard: Heard, ids: readonly number[], total = asked(heard).length): Said {
  if (isCount(heard))
    return rowsOf(total === 0 ? "[]" : '[{"id":1}]', {
      "content-range": total === 0 ? "*/0" : `0-0/${total}`,
    });
  return page(ids.slice(0, Number(heard.query.get("limit"))));
}

function page(ids: readonly number[]): Said {
  const range = ids.length === 0 ? "*/*" : `0-${ids.length - 1}/*`;
  return rowsOf(`[${ids.map((id) => `{"id":${id}}`).join(",")}]`, { "content-range": range });
}

async function read(of: Table = NUMBERS): Promise<number> {
  let rows = 0;
  for await (const batch of tableOf(project, of).read({ batchSize: PAGE, signal: never }))
    rows += batch.length;
  return rows;
}

describe("pages of rows", () => {
  it("reads pages to the end and no further", async () => {
    server.script = (heard) => answer(heard, asked(heard));
    expect(await read()).toBe(ROWS);
    expect(server.heard.map((heard) => (isCount(heard) ? "count" : heard.query.get("id")))).toEqual([
      ...[null, "gt.10", "gt.20", "gt.25"],
      "count",
    ]);
  });

  it("requests an empty page in the middle again, and fails when it stays empty", async () => {
    let empty = 1;
    server.script = (heard) =>
      heard.query.get("id") === "gt.10" && !isCount(heard) && empty-- > 0
        ? page([])
        : answer(heard, asked(heard));
    expect(await read()).toBe(ROWS);
    empty = 9;
    const error = await failureOf(read());
    expect(error.exit).toBe("source");
    expect(error.message).toMatch(/returns no rows of t, but counts 15 more/);
  });

  const odd: ReadonlyArray<readonly [string, (heard: Heard, ids: number[]) => readonly number[]]> = [
    ["that are the first one again and again", () => asked({ query: new URLSearchParams() } as Heard)],
    ["that begin where the one before ended", (_, ids) => [Math.max(1, (ids[0] ?? 1) - 1), ...ids]],
    ["that begin before the one before", (_, ids) => (ids[0] === 11 ? [5, ...ids] : ids)],
    ["with a row twice", (_, ids) => [...ids.slice(0, 3), ...ids.slice(2)]],
    ["out of order", (_, ids) => [...ids.slice(0, 4), ids[5] ?? 0, ids[4] ?? 0, ...ids.slice(6)]],
    ["in reverse order", (_, ids) => ids.reverse()],
  ];
  it.each(odd)("fails on pages %s, instead of ending early or never", async (_, made) => {
    server.script = (heard) => {
      const ids = asked(heard);
      return answer(heard, ids.length === 0 ? [] : made(heard, ids));
    };
    const error = await failureOf(read());
    expect(error.exit).toBe("source");
    expect(error.message).toMatch(/returns rows of t twice or out of order/);
    expect(server.heard.length).toBeLessThan(10);
  });

  it("fails on pages of a text key that go round in a circle, however long it is", async () => {
    const circle = Array.from({ length: 40 }, (_, i) => `w${i}`);
    server.script = (heard) => {
      const after = /^gt\.(w\d+)/.exec(heard.query.get("id") ?? "")?.[1];
      const next = circle[((after === undefined ? -1 : circle.indexOf(after)) + 1) % circle.length];
      return rowsOf(`[{"id":"${next}"}]`, { "content-range": "0-0/*" });
    };
    const error = await failureOf(read(WORDS));
    expect(error.message).toMatch(/returns rows of t twice/);
    expect(server.heard.length).toBeLessThan(160);
  });
});

describe("lookup of rows by id", () => {
  const ids = [3, 4, 999].map((id) => {
    const element = Buffer.alloc(5);
    element[0] = TYPE.int32;
    element.writeInt32LE(id, 1);
    return new DocumentId(element);
  });

  it("counts rows before treating missing ids as deleted", async () => {
    const there = [3, 4];
    let empty = 0;
    const asked: Said[] = [];
    server.script = (heard) => {
      const wanted = (heard.query.get("id") ?? "").match(/\d+/g)?.map(Number) ?? [];
      const found = wanted.filter((id) => there.includes(id));
      const said = isCount(heard) || empty-- <= 0 ? answer(heard, found, found.length) : page([]);
      asked.push(said);
      return said;
    };
    expect((await tableOf(project, NUMBERS).find(ids, never)).size).toBe(2);
    empty = 1;
    expect((await tableOf(project, NUMBERS).find(ids, never)).size).toBe(2);
    empty = 99;
    const error = await failureOf(tableOf(project, NUMBERS).find(ids, never));
    expect(error.exit).toBe("source");
    expect(error.message).toMatch(/returns no rows of t, but counts 2/);
  });

  const refused = (code: string): Said => ({
    status: 400,
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ code, message: "no", details: null, hint: null }),
  });
  const isOf4 = ({ query }: Heard): boolean => /\b4\b/.test(query.get("id") ?? "");

  it("treats ids that are not valid values of their column as missing", async () => {
    server.script = (heard) => (isOf4(heard) ? refused("22P02") : answer(heard, [3], 1));
    expect((await tableOf(project, NUMBERS).find(ids.slice(0, 2), never)).size).toBe(1);
  });

  it("fails when rows cannot be read because a policy fails on them", async () => {
    server.script = (heard) =>
      isOf4(heard) && heard.query.get("limit") !== "0" ? refused("22012") : answer(heard, [3], 1);
    const error = await failureOf(tableOf(project, NUMBERS).find(ids.slice(0, 2), never));
    expect(error.exit).toBe("source");
  });
});

describe("pages that are too large", () => {
  it.each<readonly [string, Said, object]>([
    [
      "takes the server too long",
      { status: 500, headers: { "content-type": "application/json" }, body: '{"code":"57014"}' },
      {},
    ],
    ["takes the gateway too long", { status: 504, body: "<html>" }, {}],
    ["never begins", "hang", { deadline: 400 }],
    ["stalls", { stall: '[{"id":1}' }, { stall: 400 }],
    ["only drips", { drip: 10 }, { deadline: 400 }],
  ])("requests smaller pages when one %s", async (_, said, limits) => {
    const retries = { retries: 0, patience: 0, firstWait: 1, longestWait: 1 };
    project = await openScripted(server, { limits, policy: retries });
    server.script = (heard) =>
      !isCount(heard) && Number(heard.query.get("limit")) > 3 ? said : answer(heard, asked(heard));
    expect(await read()).toBe(ROWS);
    const limited = server.heard
      .filter((heard) => !isCount(heard))
      .map(({ query }) => Number(query.get("limit")));
    expect(limited.slice(0, 3)).toEqual([10, 5, 3]);
    project = await openScripted(server);
  });
});

describe("tables without a verifiable order", () => {
  const DESCRIPTION = {
    swagger: "2.0",
    info: { version: "14.5" },
    definitions: {
      t: {
        required: ["id"],
        properties: {
          id: { type: "string", format: "text", description: "Note:\nThis is a Primary Key.<pk/>" },
        },
      },
    },
    paths: { "/t": { get: {}, post: {} } },
  };

  /** Rows that a source gives of `t`, while the server says so, and what speaks against them. */
  async function give(
    script: (heard: Heard) => Said,
  ): Promise<{ rows: number; objection: string | undefined }> {
    server.script = (heard) =>
      heard.path === "/rest/v1/"
        ? { headers: { "content-type": "application/openapi+json" }, body: JSON.stringify(DESCRIPTION) }
        : script(heard);
    const options = {
      url: server.url,
      key: KEY,
      schema: "public",
      label: "127.0.0.1",
      role: "source",
    } as const;
    const source = await supabase(options, never);
    const { collections } = await source.list(never);
    const [one] = collections;
    if (one === undefined) throw new Error("no table");
    const batches: Batch[] = [];
    for await (const batch of source.read(one, { signal: never })) batches.push(batch);
    const rows = batches.reduce((sum, { length }) => sum + length, 0);
    const giver = { store: source, role: "source", collection: one, signal: never } as const;
    return { rows, objection: await shortfall(giver, rows) };
  }

  const words = (heard: Heard, ids: readonly number[], total: number): Said =>
    isCount(heard)
      ? rowsOf(total === 0 ? "[]" : '[{"id":"w"}]', {
          "content-range": total === 0 ? "*/0" : `0-0/${total}`,
        })
      : rowsOf(`[${ids.map((id) => `{"id":"w${id}"}`).join(",")}]`, {
          "content-range": ids.length === 0 ? "*/*" : `0-${ids.length - 1}/*`,
        });

  it("reports a table that repeatedly returns fewer rows than it counts as possibly incomplete", async () => {
    const lacking = (heard: Heard): Said => {
      const all = asked(heard);
      return words(
        heard,
        all.filter((id) => id !== 7),
        all.length,
      );
    };
    const { rows, objection } = await give(lacking);
    expect(rows).toBe(24);
    expect(objection).toMatch(/returned 24 documents but counts 25, each time/);
  });

  it("accepts a table as complete when rows were added while it was read", async () => {
    let there = ROWS;
    const growing = (heard: Heard): Said => {
      const ids = asked(heard, ROWS);
      if (isCount(heard) && !heard.query.has("id")) there++;
      return words(heard, ids, heard.query.has("id") ? ids.length : there);
    };
    expect(await give(growing)).toEqual({ rows: ROWS, objection: undefined });
  });
});
