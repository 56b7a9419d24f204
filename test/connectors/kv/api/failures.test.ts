import { createServer } from "node:net";
import { describe, expect, it } from "vitest";
import { Fault } from "../../../../src/connectors/http/fault.ts";
import type { KvClientOptions } from "../../../../src/connectors/kv/api/client.ts";
import type { KvCommand, KvRunOptions } from "../../../../src/connectors/kv/api/commands.ts";
import {
  FAILURES,
  isTooMuch,
  type KvFailure,
  toDualsyncError,
} from "../../../../src/connectors/kv/api/failures.ts";
import type { DualsyncError } from "../../../../src/model/errors.ts";
import type { Answer } from "../../../services/http/delivery.ts";
import { listening } from "../../../services/listening.ts";
import { canRunRedis } from "../../../services/redis/redis-program.ts";
import { answerOf, failure, htmlFailure, texts, tooManyRequests } from "../../../services/upstash/answers.ts";
import type { Fault as UpstashFault } from "../../../services/upstash/faults.ts";
import { kvService, ONCE, REPEATABLE } from "../../../support/stores/kv-service.ts";
import { failureOf } from "../../../support/stores/scripted-project.ts";

/** Stands in every key, value and token, and in what the service says. */
const CANARY = "canary";
const KEY = `key-${CANARY}`;
const COMMANDS: readonly KvCommand[] = [
  ["GET", KEY],
  ["SET", KEY, `value-${CANARY}`],
];

/** The message of a failure, with what is filled in left open. */
function sentence(name: KvFailure): RegExp {
  const escaped = FAILURES[name].says.replaceAll(/[.*+?^$()|[\]\\]/g, "\\$&");
  return new RegExp(`^${escaped.replaceAll(/\{\w+\}/g, ".*")}$`);
}

function shown(error: DualsyncError): string {
  const causes: unknown[] = [];
  for (let link: unknown = error; link instanceof Error; link = link.cause)
    causes.push(link.message, JSON.stringify(link));
  return `${error.message} ${error.hint} ${causes.join(" ")}`;
}

const json = (value: unknown): Answer => answerOf(200, JSON.stringify(value));
const proved = { result: "UE9ORw==" };

describe.runIf(await canRunRedis())("failures of a KV store", () => {
  const kv = kvService();

  interface Case {
    readonly fault?: UpstashFault;
    readonly options?: Partial<KvClientOptions>;
    readonly how?: KvRunOptions;
    readonly exit?: string;
    readonly reason?: string;
    readonly retryAfter?: number;
    /** How often it is sent; twice what is worth few tries, five times what may pass. Default: once. */
    readonly sent?: number;
  }
  const denied = { exit: "denied" };
  const quota = { reason: "quota" };
  const closed = async (): Promise<string> => {
    const nobody = createServer();
    const port = await listening(nobody);
    await new Promise((done) => nobody.close(done));
    return `http://127.0.0.1:${port}`;
  };

  const cases: ReadonlyArray<readonly [KvFailure, string, Case]> = [
    ["broken", "connections that are reset", { fault: { reset: "before" }, sent: 5 }],
    ["broken", "answers that end early", { fault: { cut: { after: 5 } }, sent: 5 }],
    ["broken", "answers in chunks that end early", { fault: { cut: { after: 5, chunked: true } }, sent: 5 }],
    ["late", "no answer", { fault: { stall: "before" }, options: { limits: { deadline: 40 } }, sent: 3 }],
    [
      "late",
      "half an answer",
      { fault: { stall: { after: 5 } }, options: { limits: { stall: 40 } }, sent: 3 },
    ],
    ["cut-short", "JSON without an end", { fault: { answer: answerOf(200, '[{"result":"x') }, sent: 5 }],
    ["too-big", "endless answers", { options: { limits: { largestBody: 10 } } }],
    [
      "redirected",
      "a redirect",
      { fault: { answer: { status: 301, headers: { Location: `https://${CANARY}.com` } } } },
    ],
    ["not-understood", "a page", { fault: { answer: htmlFailure(200) } }],
    ["not-understood", "something else", { fault: { answer: json({ canary: CANARY }) } }],
    ["not-understood", "a bare text", { fault: { answer: json(CANARY) } }],
    ["not-understood", "too few results", { fault: { answer: json([{ result: null }]) } }],
    ["not-understood", "no result", { fault: { answer: json([{}, {}, proved]) } }],
    [
      "not-understood",
      "results that are none",
      { fault: { answer: json([{ result: true }, { result: {} }, proved]) } },
    ],
    [
      "not-understood",
      "texts that are not in base64",
      { fault: { answer: json([{ result: "test" }, { result: "OK" }, { result: "PONG" }]) } },
    ],
    [
      "not-understood",
      "texts that cannot be base64",
      { fault: { answer: json([{ result: `*${CANARY}*` }, { result: "OK" }, proved]) } },
    ],
    [
      "not-understood",
      "lists in lists without end",
      {
        fault: {
          answer: answerOf(
            200,
            `[{"result":${"[".repeat(9_000)}${"]".repeat(9_000)}},{"result":null},{"result":null}]`,
          ),
        },
      },
    ],
    ["no-api", "a page that is missing", { fault: { answer: htmlFailure(404) } }],
    ["no-api", "another method", { fault: { answer: failure(405, CANARY) } }],
    ["gateway", "a bad gateway", { fault: { answer: htmlFailure(502) }, sent: 5 }],
    [
      "gateway",
      "an error of the service's own",
      { fault: { answer: failure(500, `ERR ${CANARY}`) }, sent: 5 },
    ],
    [
      "gateway",
      "a service that is not there",
      { fault: { answer: htmlFailure(503, { "Retry-After": "0" }) }, sent: 5, retryAfter: 0 },
    ],
    ["too-many-requests", "429", { fault: { answer: failure(429, CANARY) }, sent: 5, reason: "throttled" }],
    [
      "too-many-requests",
      "429 for an hour",
      { fault: { answer: tooManyRequests(3_600) }, reason: "throttled", retryAfter: 3_600_000 },
    ],
    [
      "too-many-requests",
      "words in a result",
      { fault: { items: { at: 1, error: `ERR too many requests ${CANARY}` } }, sent: 5, reason: "throttled" },
    ],
    [
      "too-many-requests",
      "connections",
      {
        fault: { items: { at: 1, error: `ERR max concurrent connections exceeded ${CANARY}` } },
        sent: 5,
        reason: "throttled",
      },
    ],
    ["quota", "429 without a time", { fault: { answer: tooManyRequests() }, ...quota }],
    ["quota", "400", { fault: { answer: failure(400, texts.monthlyQuota()) }, ...quota }],
    ["quota", "200", { fault: { answer: failure(200, texts.monthlyQuota()) }, ...quota }],
    ["quota", "a result", { fault: { items: { at: 1, error: texts.monthlyQuota() } }, ...quota }],
    ["quota", "a budget", { fault: { items: { error: `ERR monthly budget exceeded ${CANARY}` } }, ...quota }],
    ["quota", "402", { fault: { answer: htmlFailure(402) }, ...quota }],
    ["quota-daily", "400", { fault: { answer: failure(400, texts.dailyQuota()) }, ...quota }],
    ["quota-daily", "a result", { fault: { items: { at: 0, error: texts.dailyQuota() } }, ...quota }],
    ["capacity", "a result", { fault: { items: { at: 1, error: texts.capacityQuota() } }, ...quota }],
    ["token-refused", "a token of another store", { options: { token: `${CANARY}-token` }, ...denied }],
    ["token-refused", "401 without words", { fault: { answer: htmlFailure(401) }, ...denied }],
    ["token-limited", "a read-only token", { options: { token: "read-only" }, ...denied }],
    ["denied", "403", { fault: { answer: htmlFailure(403) }, ...denied }],
    [
      "refused-request",
      "a request that is not understood",
      { fault: { answer: failure(400, `ERR ${CANARY}`) } },
    ],
    ["refused-request", "a teapot", { fault: { answer: htmlFailure(418) } }],
    ["answer-lost", "a lost answer", { fault: { reset: "lost-reply" }, how: ONCE }],
    [
      "answer-lost",
      "no answer in time",
      { fault: { stall: { after: 3 } }, options: { limits: { stall: 40 } }, how: ONCE },
    ],
    ["answer-lost", "a bad gateway", { fault: { answer: htmlFailure(504) }, how: ONCE }],
    [
      "done-in-part",
      "a quota that ends in between",
      { fault: { items: { at: 1, error: texts.monthlyQuota() } }, how: ONCE, ...quota },
    ],
    [
      "done-in-part",
      "a limit that is reached in between",
      { fault: { items: { at: 1, error: "ERR rate limit exceeded" } }, how: ONCE, reason: "throttled" },
    ],
  ];
  it.each(cases)("%s: %s", async (name, _, { fault, options, how = REPEATABLE, sent = 1, ...expected }) => {
    if (fault !== undefined) kv.fail(fault);
    const token = options?.token === "read-only" ? kv.upstash.readOnlyToken : options?.token;
    const client = kv.open({ ...options, ...(token !== undefined && { token }) });
    const before = kv.upstash.requests.length;
    const error = await failureOf(client.run(COMMANDS, how));
    expect(error.message).toMatch(sentence(name));
    expect(error.message).toContain("127.0.0.1");
    expect(error.message).not.toMatch(/[{}]/);
    expect(error.hint).toBe(FAILURES[name].hint);
    expect(error).toMatchObject({ exit: "source", reason: undefined, retryAfter: undefined, ...expected });
    expect(kv.upstash.requests.length - before).toBe(sent);
    expect(shown(error)).not.toContain(CANARY);
    expect(shown(error)).not.toContain(kv.upstash.token);
  });

  it("refused: nobody listens at the address", async () => {
    const error = await failureOf(kv.open({ url: await closed(), role: "target" }).run(COMMANDS, ONCE));
    expect(error).toMatchObject({ exit: "target", retryable: true });
    expect(error.message).toMatch(sentence("refused"));
  });

  it("host-unknown: there is no such host", async () => {
    const error = await failureOf(kv.open({ url: "http://kv.invalid" }).run(COMMANDS, REPEATABLE));
    expect([sentence("host-unknown"), sentence("dns-silent")].some((one) => one.test(error.message))).toBe(
      true,
    );
  });

  it("tls: the server does not speak TLS", async () => {
    const url = kv.upstash.url.replace("http:", "https:");
    const error = await failureOf(kv.open({ url }).run(COMMANDS, REPEATABLE));
    expect(error.message).toMatch(/^No secure connection to the source 127\.0\.0\.1 \(ERR_SSL/);
  });

  it.each([
    ["ENOTFOUND", "host-unknown"],
    ["EAI_AGAIN", "dns-silent"],
    ["CERT_HAS_EXPIRED", "tls"],
    ["ECONNRESET", "broken"],
  ] as const)("the network error %s has its own message", (code, name) => {
    const place = { role: "source", label: "x", doing: "read keys" } as const;
    const error = toDualsyncError(new Fault({ reason: "network", code }), place);
    expect(error.message).toMatch(sentence(name));
  });

  it("every one of the table was seen here, names the store and says what to do", () => {
    const elsewhere = ["refused", "host-unknown", "dns-silent", "tls"];
    expect(new Set([...cases.map(([name]) => name), ...elsewhere])).toEqual(new Set(Object.keys(FAILURES)));
    for (const row of Object.values(FAILURES)) {
      expect(row.says).toMatch(/\{[wW]here\}.*\.$/s);
      expect(row.means).toMatch(/\.$/);
      expect(row.hint).toMatch(/[.?]$/);
    }
  });

  it("a quota that is used up is not tried again, and a full store can still be read", async () => {
    const client = kv.open({ policy: undefined });
    await client.run([["SET", "k", "v"]], REPEATABLE);
    kv.upstash.settings.full = true;
    const error = await failureOf(client.run([["SET", "k", "w"]], REPEATABLE));
    expect(error.message).toMatch(sentence("capacity"));
    expect(await client.run([["GET", "k"]], REPEATABLE)).toEqual([Buffer.from("v")]);
    kv.upstash.settings.quota = kv.upstash.billed;
    expect((await failureOf(client.run([["GET", "k"]], REPEATABLE))).message).toMatch(sentence("quota"));
    expect((await failureOf(client.transaction([["GET", "k"]], REPEATABLE))).message).toMatch(
      sentence("quota"),
    );
  });

  it("says which refusals may pass for less at a time", async () => {
    const place = { role: "source", label: "x", doing: "read keys" } as const;
    const errors = (["too-big", "late", "cut"] as const).map((reason) =>
      toDualsyncError(new Fault({ reason }), place),
    );
    expect(errors.map(isTooMuch)).toEqual([true, true, false]);
    expect(isTooMuch(new Error("other"))).toBe(false);
  });
});
