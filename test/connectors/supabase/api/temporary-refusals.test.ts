import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { waitIn } from "../../../../src/connectors/http/fault.ts";
import { isTooMuch } from "../../../../src/connectors/supabase/api/fault.ts";
import { refusalOf, rowsOf, type Said, startScriptedHttp } from "../../../services/http/scripted-http.ts";
import { never } from "../../../support/signal.ts";
import {
  ALL,
  BATCH,
  failureOf,
  inTurn,
  openScripted,
  quick,
  scriptedProject,
} from "../../../support/stores/scripted-project.ts";

const JSON_TYPE = "content-type: application/json; charset=utf-8";

const { server, project } = await scriptedProject();

function raw(head: readonly string[], body: string | Buffer): Said {
  return {
    raw: Buffer.concat([Buffer.from(`HTTP/1.1 200 OK\r\n${head.join("\r\n")}\r\n\r\n`), Buffer.from(body)]),
  };
}

describe("temporary refusals", () => {
  const passing: readonly Said[] = [
    ...[429, 502, 503, 520, 521, 522, 523, 524, 546, 544, 408, 500].map((status) => ({
      status,
      body: "<html>",
    })),
    ...(["PGRST000", "PGRST001", "PGRST002", "57P03", "53300"] as const).map((code) => refusalOf(503, code)),
    refusalOf(504, "PGRST003"),
    refusalOf(500, "40001"),
    refusalOf(500, "40P01"),
    "reset",
  ];
  it.each(passing.map((said) => [JSON.stringify(said), said] as const))(
    "retries after a temporary refusal: %s",
    async (_, said) => {
      inTurn(server, said, rowsOf("[]"));
      expect((await project.rows("t", ALL, never)).text).toBe("[]");
      inTurn(server, said, { status: 201, headers: { "content-range": "*/1" } });
      await expect(project.upsert("t", BATCH, never)).resolves.toBe(1);
      expect(server.heard.map(({ body }) => body)).toEqual(["[{}]", "[{}]"]);
    },
  );

  it("retries as often as the policy says, without extra retries by the SDK", async () => {
    inTurn(server, { status: 503 });
    const error = await failureOf(project.rows("t", ALL, never));
    expect(error).toMatchObject({ exit: "source", retryable: true });
    expect(server.heard).toHaveLength(5);
    inTurn(server, refusalOf(500, "40001"));
    await failureOf(project.rows("t", ALL, never));
    expect(server.heard).toHaveLength(3);
  });

  it("waits as long as retry-after asks, but no longer than the longest wait", async () => {
    const patient = await openScripted(server, { policy: { ...quick, longestWait: 80 } });
    inTurn(server, { status: 429, headers: { "retry-after": "3600" } }, rowsOf("[]"));
    const begun = performance.now();
    await patient.rows("t", ALL, never);
    expect(performance.now() - begun).toBeGreaterThanOrEqual(79);
    expect(performance.now() - begun).toBeLessThan(10_000);
  });

  it("reads retry-after as seconds or as a date", () => {
    const now = Date.parse("Sat, 21 Nov 2026 12:00:00 GMT");
    expect(waitIn("7", now)).toBe(7_000);
    expect(waitIn("Sat, 21 Nov 2026 12:00:30 GMT", now)).toBe(30_000);
    expect(waitIn("Sat, 21 Nov 2026 11:00:00 GMT", now)).toBe(0);
    for (const odd of [null, "", "-5", "1.5", "soon", "Infinity"]) expect(waitIn(odd, now)).toBeUndefined();
  });
});

describe("permanent refusals", () => {
  const staying = [
    [500, "57014", true],
    [500, "55P03", true],
    [413, undefined, true],
    [414, undefined, true],
    [504, undefined, true],
    [402, undefined, false],
    [540, undefined, false],
    [401, "PGRST301", false],
    [403, "42501", false],
    [404, "PGRST205", false],
    [406, "PGRST106", false],
    [400, "22P02", false],
    [409, "23505", false],
    [500, "21000", false],
    [503, "53100", false],
    [300, "PGRST203", false],
  ] as const;
  it.each(staying)("does not retry a permanent refusal: %i %s", async (status, code, tooMuch) => {
    inTurn(server, code === undefined ? { status, body: "<html>" } : refusalOf(status, code));
    const error = await failureOf(project.rows("t", ALL, never));
    expect(server.heard).toHaveLength(1);
    expect(isTooMuch(error)).toBe(tooMuch);
  });
});

describe("incomplete replies", () => {
  const text = '[{"id":1},{"id":[2]}]';
  const half = '[{"id":1},{"id":[2';
  const cuts: ReadonlyArray<readonly [string, Said]> = [
    ["shorter than its length", raw([JSON_TYPE, `content-length: ${text.length}`], half)],
    ["cut between chunks", raw([JSON_TYPE, "transfer-encoding: chunked"], `13\r\n${half}\r\n`)],
    ["cut in a chunk", raw([JSON_TYPE, "transfer-encoding: chunked"], `15\r\n${half}`)],
    ["without a length", raw([JSON_TYPE], half)],
    ["nothing at all", raw([JSON_TYPE], "")],
    ["that says it is whole", rowsOf(half)],
    ["compressed and cut", raw([JSON_TYPE, "content-encoding: gzip"], gzipSync(text).subarray(0, -12))],
    ["in no UTF-8", { ...rowsOf(""), body: Buffer.from([0x5b, 0x22, 0xff, 0x22, 0x5d]) }],
    ["broken off", "reset"],
  ];
  it.each(cuts)("retries an incomplete reply, and never treats it as a short one: %s", async (_, said) => {
    inTurn(server, said, rowsOf(text, { "content-range": "0-1/*" }));
    expect((await project.rows("t", ALL, never)).text).toBe(text);
    expect(server.heard).toHaveLength(2);
    inTurn(server, said);
    expect((await failureOf(project.rows("t", ALL, never))).exit).toBe("source");
  });

  it("accepts a complete compressed reply", async () => {
    inTurn(server, raw([JSON_TYPE, "content-encoding: gzip"], gzipSync(text)));
    expect((await project.rows("t", ALL, never)).text).toBe(text);
  });
});

describe("replies that are not data", () => {
  const page = { headers: { "content-type": "text/html" }, body: "<html>welcome</html>" };
  const never200: ReadonlyArray<readonly [string, Said]> = [
    ["a web page with status 200", page],
    ["nothing with status 200", { status: 200 }],
    ["204", { status: 204 }],
    ["404 and nothing", { status: 404 }],
    ["404 and an empty list", { ...rowsOf("[]"), status: 404 }],
    ["null", rowsOf("null")],
    ["an object", rowsOf("{}")],
    ["201 for rows", { ...rowsOf("[]"), status: 201 }],
  ];
  it.each(never200)("fails on a reply that is not rows: %s", async (_, said) => {
    inTurn(server, said);
    const error = await failureOf(project.rows("t", ALL, never));
    expect(error.exit).toBe("source");
    expect(server.heard).toHaveLength(1);
  });

  const notWritten: ReadonlyArray<readonly [string, Said]> = [
    ["a web page", page],
    ["200 and nothing", { status: 200 }],
    ["204 and no count", { status: 204 }],
    ["404 and nothing", { status: 404 }],
    ["rows", { ...rowsOf("[]", { "content-range": "*/1" }), status: 201 }],
  ];
  it.each(notWritten)("fails on a reply that does not acknowledge a write: %s", async (_, said) => {
    inTurn(server, said);
    const written = await failureOf(project.upsert("t", BATCH, never));
    const removed = await failureOf(project.remove("t", [{ column: "id", in: ["1"] }], 1, never));
    for (const { message } of [written, removed]) expect(message).toMatch(/data API/);
  });

  it("distinguishes a missing function from a reply that is not data", async () => {
    inTurn(server, refusalOf(404, "PGRST202"));
    await expect(project.rpc("f", "{}", never)).resolves.toBeUndefined();
    for (const said of [{ status: 404 }, refusalOf(404, "PGRST125"), page, rowsOf("[")]) {
      inTurn(server, said);
      await failureOf(project.rpc("f", "{}", never));
    }
    inTurn(server, { status: 204 });
    await expect(project.rpc("f", "{}", never)).resolves.toBe("null");
  });
});

describe("limits of time and memory", () => {
  it.each<readonly [string, Said, object]>([
    ["no answer", "hang", { deadline: 40 }],
    ["a body that stalls", { stall: '[{"id"' }, { stall: 40 }],
    ["a body that drips", { drip: 5 }, { deadline: 100 }],
  ])("times out because of %s", async (_, said, limits) => {
    inTurn(server, said);
    const error = await failureOf((await openScripted(server, { limits })).rows("t", ALL, never));
    expect(error).toMatchObject({ exit: "source", retryable: true });
    expect(error.message).toMatch(/in time/);
    expect(isTooMuch(error)).toBe(true);
    expect(server.heard).toHaveLength(3);
  });

  it("does not time out while a body keeps arriving", async () => {
    inTurn(server, { drip: 20, bytes: 60 });
    const slow = await openScripted(server, { limits: { stall: 800 } });
    expect((await slow.rows("t", ALL, never)).text).toMatch(/^\[ +\]$/);
    expect(server.heard).toHaveLength(1);
  });

  it.each<readonly [string, Said]>([
    ["no answer has come", "hang"],
    ["a body stalls", { stall: "[" }],
    ["a body drips", { drip: 5 }],
    ["a retry is waited for", { status: 429, headers: { "retry-after": "3600" } }],
  ])("ends a request when the signal aborts while %s", async (_, said) => {
    const patient = await openScripted(server, { policy: { ...quick, longestWait: 3_600_000 } });
    const stop = new AbortController();
    const reason = new Error("stopped");
    server.script = () => {
      setTimeout(() => stop.abort(reason), 30);
      return said;
    };
    await expect(patient.rows("t", ALL, stop.signal)).rejects.toBe(reason);
    await expect(patient.rows("t", ALL, stop.signal)).rejects.toBe(reason);
    await expect(patient.openapi(stop.signal)).rejects.toBe(reason);
    expect(server.heard).toHaveLength(1);
  });

  it("gives up on a reply that is too large, and suggests requesting it in parts", async () => {
    inTurn(server, rowsOf(`["${"x".repeat(100_000)}"]`));
    const error = await failureOf(
      (await openScripted(server, { limits: { largestBody: 50_000 } })).rows("t", ALL, never),
    );
    expect(isTooMuch(error)).toBe(true);
    expect(server.heard).toHaveLength(1);
  });
});

describe("redirects", () => {
  it.each([301, 302, 303, 307, 308])(
    "does not follow a redirect with status %i, and sends the key nowhere else",
    async (status) => {
      const other = await startScriptedHttp();
      try {
        other.script = () => rowsOf("[]");
        inTurn(server, { status, headers: { location: `${other.url}/rest/v1/t` } });
        const error = await failureOf(project.rows("t", ALL, never));
        expect(error.message).toMatch(/redirects requests .*not followed/);
        await failureOf(project.upsert("t", BATCH, never));
        await failureOf(project.openapi(never));
        expect(server.heard).toHaveLength(3);
        expect(other.heard).toEqual([]);
      } finally {
        await other.stop();
      }
    },
  );
});
