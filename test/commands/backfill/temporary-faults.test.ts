import { performance } from "node:perf_hooks";
import { expect, it } from "vitest";
import type { Answer } from "../../services/http/delivery.ts";
import { startRecording } from "../../services/http/recording-server.ts";
import {
  expiredKey,
  htmlFailure,
  jsonFailure,
  paused,
  poolTimeout,
  quotaExceeded,
  redirect,
  schemaCacheLoading,
  statementTimeout,
  tooManyRequests,
  unauthorized,
} from "../../services/postgrest/answer/answers.ts";
import type { Effect, Recorded } from "../../services/postgrest/faults.ts";
import { fillStorefront } from "../../shops/storefront.ts";
import type { CliResult } from "../../support/cli.ts";
import { projectPair } from "../../support/stores/project-pair.ts";

/** What a project may answer in the middle of a backfill, and what becomes of the run and of the copy. */
const pair = projectPair();
const CUSTOMERS = 60;
const PAGE = 20;
/** Small pages, so that a fault has something before and after it; and few tries, where it stays. */
const FEW = { SYNC_BATCH_SIZE: String(PAGE), SYNC_MAX_RETRIES: "1" };
const CANARY = "marlow-canary";
const LONG = process.env.DUALSYNC_TEST_LONG !== undefined;

const copied = () => pair.to.db(pair.database).collection("customers").countDocuments();
const backfill = (env: Record<string, string> = {}, ...flags: string[]): Promise<CliResult> =>
  pair.run(["backfill", ...flags], undefined, { env });

async function fill(): Promise<void> {
  await fillStorefront(pair.project.query, { customers: CUSTOMERS });
  await pair.project.reload();
}

/** A page of rows, and no look at the table before it is copied. */
const isPage = ({ path, target, headers }: Recorded): boolean =>
  path === "/customers" && /[?&]order=/.test(target) && !/count=exact/.test(headers.prefer ?? "");

function refusal(status: number, code: string): Answer {
  const body = { code, message: CANARY, details: `Key (email)=(${CANARY})`, hint: CANARY };
  return {
    status,
    headers: { "Content-Type": "application/json", "Proxy-Status": `PostgREST; error=${code}` },
    body: JSON.stringify(body),
  };
}

function page(body: string, headers: Record<string, string> = {}): Answer {
  return { status: 200, headers: { "Content-Type": "application/json; charset=utf-8", ...headers }, body };
}

const passing: readonly Effect[] = [
  { answer: tooManyRequests() },
  { answer: tooManyRequests(0) },
  { answer: tooManyRequests(new Date(0)) },
  ...[500, 502, 503, 520, 524, 544].map((status) => ({ answer: htmlFailure(status) })),
  { answer: jsonFailure(503, { "Retry-After": "0" }) },
  { answer: schemaCacheLoading(0) },
  { answer: poolTimeout() },
  ...["40001", "40P01"].map((code) => ({ answer: refusal(500, code) })),
  ...["08006", "53300", "57P01"].map((code) => ({ answer: refusal(503, code) })),
  { reset: "before" },
  { reset: "lost-reply" },
  { cut: { after: 1 } },
  { cut: { after: 100 } },
  { cut: { after: 100, chunked: true } },
  { cut: { after: 0, chunked: true } },
  { answer: page('[{"id":') },
  { answer: page("[]") },
  { drip: { bytes: 400, ms: 2 } },
  { delay: 30 },
];

it("all rows arrive although every other request for a page has a temporary fault", async () => {
  await fill();
  const turns = new Map<Recorded, number>();
  const turnOf = (request: Recorded): number => {
    if (!turns.has(request)) turns.set(request, turns.size);
    return turns.get(request) ?? 0;
  };
  const active = passing.map((effect, i) =>
    pair.fail({ ...effect, on: (request) => isPage(request) && turnOf(request) === 2 * i }),
  );
  const { code, stdout } = await backfill({ SYNC_BATCH_SIZE: "2" });
  expect(code, stdout).toBe(0);
  expect(active.map(({ hits }) => hits)).toEqual(passing.map(() => 1));
  expect(await copied()).toBe(CUSTOMERS);
  expect((await pair.run(["diff"])).code).toBe(0);
});

it("a refused request is repeated after as long as the server asks, in seconds or as a date", async () => {
  await fill();
  const times: number[] = [];
  const soon = new Date(Math.ceil(Date.now() / 1_000) * 1_000 + 4_000);
  pair.fail({ on: isPage, at: 1, answer: tooManyRequests(1), before: () => times.push(performance.now()) });
  pair.fail({
    on: isPage,
    at: 1,
    answer: tooManyRequests(soon),
    before: () => times.push(performance.now()),
  });
  let resumed = 0;
  const takeTime = (): void => {
    resumed = Date.now();
  };
  pair.fail({ on: isPage, at: 1, before: takeTime });
  expect((await backfill()).code).toBe(0);
  expect((times[1] ?? 0) - (times[0] ?? 0)).toBeGreaterThanOrEqual(990);
  expect(resumed).toBeGreaterThanOrEqual(soon.getTime() - 10);
  expect(await copied()).toBe(CUSTOMERS);
});

it("after a refusal with Retry-After the run sends nothing until then, also for other tables", async () => {
  await pair.project.query(`
    create table long (id int4 primary key); insert into long select generate_series(1, 400);
    create table short (id int4 primary key); insert into short values (1)`);
  await pair.project.reload();
  const arrived: number[] = [];
  let refused = 0;
  pair.fail({
    on: () => {
      arrived.push(performance.now());
      return false;
    },
  });
  const fault = pair.fail({
    on: ({ target }) => /\/short\?.*order=/.test(target),
    times: 1,
    answer: tooManyRequests(1),
    before: () => {
      refused = performance.now();
    },
  });
  const { code, stdout } = await backfill({ SYNC_BATCH_SIZE: "2" });
  expect([code, fault.hits], stdout).toEqual([0, 1]);
  // What was on its way when the answer was given has arrived by then.
  expect(arrived.filter((time) => time > refused + 500 && time < refused + 1_000)).toEqual([]);
  expect(arrived.filter((time) => time >= refused + 1_000).length).toBeGreaterThan(20);
});

const lasting: ReadonlyArray<readonly [string, Effect, number, RegExp]> = [
  ["a blocked project", { answer: quotaExceeded() }, 4, /blocked because of its quota .*HTTP 402/],
  ["a paused project", { answer: paused() }, 4, /is paused \(HTTP 540\)[\s\S]*dashboard/],
  ["an expired key", { answer: expiredKey() }, 8, /refuses the key \(HTTP 401, PGRST303\)/],
  ["a refusal without a word", { answer: unauthorized() }, 8, /refuses the key \(HTTP 401\)/],
  ["a key taken for a public one", { answer: refusal(401, "42501") }, 8, /treats the key as anonymous/],
  ["a gateway that forbids", { answer: htmlFailure(403) }, 8, /does not allow/],
  ["a hidden schema", { answer: refusal(406, "PGRST106") }, 4, /schema public is not exposed/],
  [
    "a page for people",
    { answer: { ...htmlFailure(200) } },
    4,
    /does not answer as the data API of a Supabase project/,
  ],
  [
    "nothing at all",
    { answer: { status: 200, headers: {}, body: "" } },
    4,
    /does not answer as the data API/,
  ],
  ["too many requests for good", { answer: tooManyRequests(0) }, 4, /too many requests \(HTTP 429\)/],
  ["a gateway that is down", { answer: htmlFailure(502) }, 4, /gateway of .* cannot reach/],
  ["a database that is down", { answer: refusal(503, "57P01") }, 4, /is not available/],
  ["no connection free", { answer: poolTimeout() }, 4, /no database connection free/],
  ["answers cut each time", { cut: { after: 100 } }, 4, /broke|ended early/],
  ["resets each time", { reset: "lost-reply" }, 4, /connection to .* broke/],
  [
    "a database in which nothing is in time",
    { answer: statementTimeout() },
    4,
    /took too long to (?:read|count)/,
  ],
  ["a disk that is full", { answer: refusal(503, "53100") }, 4, /no space left/],
];

/** A page in the middle, and whatever comes after it: what is the matter with one table alone does not stop a run. */
function fromThereOn(): (request: Recorded) => boolean {
  let isDown = false;
  return (request) => {
    isDown ||= isPage(request) && /[?&]id=gt\./.test(request.target);
    return isDown;
  };
}

/** All of them have their sentences held to the table elsewhere: here one of each kind is enough. */
const taken = lasting.filter((_, i) => LONG || i % 3 === 0);

it.each(taken)(
  "%s in the middle stops the run with a message of its own, and nothing is called done",
  async (_, effect, status, sentence) => {
    await fill();
    pair.fail({ ...effect, on: fromThereOn() });
    const { code, stdout, stderr } = await backfill(FEW);
    const said = stdout + stderr;
    expect(code, said).toBe(status);
    expect(said).toMatch(sentence);
    expect(said).not.toMatch(/Done|verified|read back/);
    expect(said).not.toContain(CANARY);
    expect(await copied()).toBeLessThanOrEqual(PAGE);
  },
);

it("a stopped backfill is completed by the next run", async () => {
  await fill();
  const fault = pair.fail({ on: fromThereOn(), answer: htmlFailure(502) });
  expect((await backfill(FEW)).code).toBe(4);
  fault.stop();
  expect((await backfill(FEW)).code).toBe(0);
  expect(await copied()).toBe(CUSTOMERS);
});

it("a redirect is not followed: the other host receives no request", async () => {
  await fill();
  const other = await startRecording();
  try {
    for (const on of [isPage, "/"] as const) {
      const fault = pair.fail({ on, answer: redirect(`${other.url}/rest/v1/customers`) });
      const { code, stdout, stderr } = await backfill(FEW);
      expect(code).toBe(4);
      expect(stdout + stderr).toMatch(/redirects requests/);
      fault.stop();
    }
    expect(other.requests).toEqual([]);
  } finally {
    await other.stop();
  }
});

it("requests smaller pages when a statement takes too long, and larger ones again later", async () => {
  await fill();
  const limits: number[] = [];
  pair.fail({
    on: (request) => {
      const limit = Number(/[?&]limit=(\d+)/.exec(request.target)?.[1]);
      if (isPage(request)) limits.push(limit);
      return isPage(request) && limit > 15;
    },
    answer: statementTimeout(),
  });
  const { code, stdout } = await backfill();
  expect(code, stdout).toBe(0);
  expect(limits.slice(0, 8)).toEqual([1000, 500, 250, 125, 63, 32, 16, 8]);
  expect(limits.slice(8)).toContain(10);
  expect(await copied()).toBe(CUSTOMERS);
});

it.each([7, 1])(
  "a server that returns at most %i rows at once is read to the end, and the copy is identical",
  async (most) => {
    await fill();
    pair.project.settings.maxRows = most;
    try {
      const { code, stdout } = await backfill();
      expect(code, stdout).toBe(0);
      expect(stdout).toMatch(/Done: 61 documents written/);
      expect((await pair.run(["diff"])).stdout).toMatch(/^Identical/m);
    } finally {
      pair.project.settings.maxRows = undefined;
    }
  },
);
