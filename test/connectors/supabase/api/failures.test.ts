import { createServer } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Fault } from "../../../../src/connectors/http/fault.ts";
import {
  FAILURES,
  type SupabaseFailurePlace,
  toDualsyncError,
} from "../../../../src/connectors/supabase/api/failures.ts";
import { isOfRows, isTooMuch, refusalCode } from "../../../../src/connectors/supabase/api/fault.ts";
import type { Project } from "../../../../src/connectors/supabase/api/project.ts";
import type { DualsyncError } from "../../../../src/model/errors.ts";
import {
  refusalOf,
  type Said,
  type ScriptedHttp,
  startScriptedHttp,
} from "../../../services/http/scripted-http.ts";
import { listening } from "../../../services/listening.ts";
import { never } from "../../../support/signal.ts";
import {
  ALL,
  BATCH,
  failureOf,
  inTurn,
  KEY,
  openScripted,
} from "../../../support/stores/scripted-project.ts";

let server: ScriptedHttp;
let source: Project;
let target: Project;

beforeAll(async () => {
  server = await startScriptedHttp();
  source = await openScripted(server);
  target = await openScripted(server, { role: "target" });
});
afterAll(() => server.stop());

const read = (said: Said): Promise<DualsyncError> => {
  inTurn(server, said);
  return failureOf(source.rows("customers", ALL, never));
};
const write = (said: Said, table = "customers"): Promise<DualsyncError> => {
  inTurn(server, said);
  return failureOf(target.upsert(table, BATCH, never));
};

/** What a gateway says by itself. */
const page = (status: number): Said => ({ status, body: "<html>canary</html>" });

describe("refusals of a project", () => {
  const reads: ReadonlyArray<readonly [string, Said, string, RegExp]> = [
    ["too many requests", page(429), "source", /too many requests/],
    [
      "database down",
      refusalOf(503, "PGRST001"),
      "source",
      /database of .* is not available \(HTTP 503, PGRST001\)/,
    ],
    ["schema cache", refusalOf(503, "PGRST002"), "source", /database of .* is not available/],
    ["shutting down", refusalOf(503, "57P01"), "source", /database of .* is not available/],
    ["pool", refusalOf(504, "PGRST003"), "source", /no database connection free/],
    ["gateway", page(502), "source", /gateway of .* cannot reach the project \(HTTP 502\)/],
    ["gateway 522", page(522), "source", /gateway of/],
    ["gateway late", page(504), "source", /took too long to read customers/],
    ["paused", page(540), "source", /is paused/],
    ["quota", page(402), "source", /quota or its bill/],
    ["bad token", refusalOf(401, "PGRST301"), "denied", /refuses the key \(HTTP 401, PGRST301\)/],
    ["no token", refusalOf(401, "PGRST302"), "denied", /refuses the key/],
    ["expired token", refusalOf(401, "PGRST303"), "denied", /refuses the key/],
    ["key unknown to the gateway", { status: 401 }, "denied", /refuses the key \(HTTP 401\)/],
    ["key taken for anonymous", refusalOf(401, "42501"), "denied", /treats the key as anonymous/],
    ["no grant", refusalOf(403, "42501"), "denied", /service_role may not read customers/],
    ["network restriction", page(403), "denied", /does not allow dualsync to read customers/],
    ["unknown table", refusalOf(404, "PGRST205"), "source", /does not know the table customers/],
    ["dropped table", refusalOf(404, "42P01"), "source", /does not know the table customers/],
    ["no API", refusalOf(404, "PGRST125"), "source", /no data API/],
    ["no API at all", page(404), "source", /no data API/],
    ["hidden schema", refusalOf(406, "PGRST106"), "source", /schema public is not exposed/],
    ["dropped column", refusalOf(400, "42703"), "source", /lacks a column/],
    ["no comparison", refusalOf(404, "42883"), "source", /no function or operator/],
    [
      "slow statement",
      refusalOf(500, "57014"),
      "source",
      /took too long to read customers \(HTTP 500, 57014\)/,
    ],
    ...["21000", "22012", "22P02", "23514", "25006", "44000", "53400", "54001", "55000", "P0001"].map(
      (code) =>
        [`failing query ${code}`, refusalOf(500, code), "source", /the query fails in its database/] as const,
    ),
    ["lock", refusalOf(500, "55P03"), "source", /lock/],
    ["deadlock", refusalOf(500, "40P01"), "source", /Other transactions/],
    ["anything else", refusalOf(400, "XX000"), "source", /refused to read customers \(HTTP 400, XX000\)/],
    ["a teapot", page(418), "source", /refused to read customers \(HTTP 418\)/],
  ];
  it.each(reads)(
    "gives a refused read its own message and exit status: %s",
    async (_, said, exit, sentence) => {
      const error = await read(said);
      expect(error.exit).toBe(exit);
      expect(error.message).toMatch(sentence);
      expect(error.message).toContain("127.0.0.1");
      expect(error.hint).not.toBe("");
    },
  );

  it.each([
    ["too many requests", { status: 429, headers: { "retry-after": "7" } }, "throttled", 7_000],
    ["quota", page(402), "quota", undefined],
    ["paused", page(540), "paused", undefined],
    ["key taken for anonymous", refusalOf(401, "42501"), "hidden", undefined],
    ["dropped column", refusalOf(400, "42703"), undefined, undefined],
  ])("says to programs why a project does not answer: %s", async (_, said, reason, retryAfter) => {
    expect(await read(said)).toMatchObject({ reason, retryAfter });
  });

  const writes: ReadonlyArray<readonly [string, Said, string, RegExp, boolean]> = [
    ["unknown column", refusalOf(400, "PGRST204"), "target", /lacks a column/, false],
    ["value", refusalOf(400, "22P02"), "target", /value does not fit its column/, true],
    ["number", refusalOf(400, "22003"), "target", /value does not fit its column/, true],
    ["NUL", refusalOf(400, "22P05"), "target", /value does not fit its column/, true],
    ["null", refusalOf(400, "23502"), "target", /breaks a constraint/, true],
    ["check", refusalOf(400, "23514"), "target", /breaks a constraint/, true],
    ["no unique index", refusalOf(400, "42P10"), "target", /no unique index/, false],
    ["generated", refusalOf(400, "428C9"), "target", /only the database may fill/, false],
    ["other unique key", refusalOf(409, "23505"), "target", /must be unique/, true],
    ["foreign key", refusalOf(409, "23503"), "target", /refers to one that is missing/, true],
    ["read-only", refusalOf(405, "25006"), "target", /is read-only/, false],
    ["disk", refusalOf(503, "53100"), "target", /no space left/, false],
    ["trigger", refusalOf(400, "P0001"), "target", /trigger or function/, true],
    ["twice in a batch", refusalOf(500, "21000"), "target", /touch a row twice/, false],
    ["too long", page(413), "target", /does not accept as much/, false],
    ["not JSON", refusalOf(400, "PGRST102"), "target", /did not understand/, false],
  ];
  it.each(writes)(
    "gives a refused write its own message and exit status: %s",
    async (_, said, exit, sentence, ofRows) => {
      const error = await write(said);
      expect(error.exit).toBe(exit);
      expect(error.message).toMatch(sentence);
      expect(isOfRows(error)).toBe(ofRows);
    },
  );

  it("reports a missing grant with the statement that grants it", async () => {
    const denied = refusalOf(403, "42501");
    expect((await read(denied)).hint).toContain("grant select on table public.customers to service_role;");
    expect((await write(denied)).hint).toContain(
      "grant select, insert, update, delete on table public.customers to service_role;",
    );
    expect((await write(denied, 'Or"der')).hint).toContain('on table public."Or""der" to');
    expect((await write(denied, "order")).hint).toContain('on table public."order" to');
  });

  it("reports an unknown table with how to reload the schema cache", async () => {
    expect((await read(refusalOf(404, "PGRST205"))).hint).toContain("notify pgrst, 'reload schema';");
  });

  it("keeps the code of a refusal for its callers", async () => {
    expect(refusalCode(await write(refusalOf(409, "23503")))).toBe("23503");
    expect(
      refusalCode(await write({ status: 500, headers: { "proxy-status": "PostgREST; error=57014" } })),
    ).toBe("57014");
    expect(refusalCode(await read(page(402)))).toBeUndefined();
    expect(isTooMuch(new Error("another"))).toBe(false);
  });

  it("shows nothing that the server said except its code", async () => {
    const odd = [
      { status: 400, body: '{"code":"canary@example.com"}' },
      { status: 400, body: '{"code":{"canary":1}}' },
      { status: 400, headers: { "proxy-status": "PostgREST; error=canary" } },
      { status: 400, body: "canary" },
    ];
    for (const said of [...reads.map(([, one]) => one), ...writes.map(([, one]) => one), ...odd]) {
      for (const error of [await read(said), await write(said)]) {
        const reported = `${error.message} ${error.hint} ${String(error.cause)} ${JSON.stringify(error.cause)}`;
        expect(reported).not.toMatch(/canary/);
        expect(reported).not.toContain(KEY);
        expect(reported).not.toMatch(/[{}]\w/);
      }
    }
  });
});

describe("unreachable projects", () => {
  it("reports that nothing listens at the address", async () => {
    const nobody = createServer();
    const port = await listening(nobody);
    await new Promise((done) => nobody.close(done));
    const project = await openScripted(server, { url: `http://127.0.0.1:${port}` });
    const error = await failureOf(project.rows("t", ALL, never));
    expect(error).toMatchObject({ exit: "source", retryable: true });
    expect(error.message).toMatch(/Connection refused by/);
  });

  it("reports a host that does not exist", async () => {
    const project = await openScripted(server, { url: "http://project.invalid", label: "project.invalid" });
    const error = await failureOf(project.rows("t", ALL, never));
    expect(error.message).toMatch(/cannot be resolved|DNS did not answer/);
  });

  it("reports a server that does not speak TLS, and does not retry", async () => {
    const project = await openScripted(server, { url: server.url.replace("http:", "https:") });
    const begun = server.connections;
    const error = await failureOf(project.rows("t", ALL, never));
    expect(error.message).toMatch(/No secure connection to .*\(ERR_SSL/);
    expect(server.connections - begun).toBe(1);
  });

  it.each([
    ["ENOTFOUND", "host-unknown"],
    ["EAI_AGAIN", "dns-silent"],
    ["CERT_HAS_EXPIRED", "tls"],
    ["ECONNRESET", "broken"],
  ] as const)("gives the network error %s its own message", (code, name) => {
    const place: SupabaseFailurePlace = {
      role: "source",
      label: "x",
      schema: "public",
      doing: "read t",
      access: "read",
    };
    const error = toDualsyncError(new Fault({ reason: "network", code }), place);
    expect(error.message.split(" ")[0]).toBe(FAILURES[name].says.split(" ")[0]);
    expect(error.hint).toBe(FAILURES[name].hint);
  });
});

it("every message names the store and every hint is a sentence", () => {
  for (const row of Object.values(FAILURES)) {
    expect(row.says).toMatch(/\{[wW]here\}.*\.$/s);
    expect(row.means).toMatch(/\.$/);
    expect(row.hint).toMatch(/[.;?}]$/);
  }
});
