import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Answer } from "../../services/http/delivery.ts";
import { htmlFailure } from "../../services/postgrest/answer/answers.ts";
import type { Effect, Recorded } from "../../services/postgrest/faults.ts";
import { records } from "../../support/cli.ts";
import { folder } from "../../support/compared.ts";
import { projectPair } from "../../support/stores/project-pair.ts";
import { setSession } from "../../support/stores/session-settings.ts";

/** Whatever a project answers for one table or view: that one is named with the project's own code, and the rest is copied and compared. */
const pair = projectPair();
const CANARY = "marlow-canary";
/** Each fault is a lasting one. */
const ONCE = { env: { SYNC_MAX_RETRIES: "0" } };

interface Kind {
  readonly effect: Effect;
  /** In the reason. */
  readonly says: string | RegExp;
}

/** A refusal by PostgREST, with what Postgres says of the row. */
function refused(status: number, code: string): Kind {
  const body = { code, message: CANARY, details: `Key (email)=(${CANARY})`, hint: CANARY };
  const headers = { "Content-Type": "application/json", "Proxy-Status": `PostgREST; error=${code}` };
  return { effect: { answer: { status, headers, body: JSON.stringify(body) } }, says: code };
}

function answered(status: number, body: string, headers: Answer["headers"] = {}): Effect {
  const type = { "Content-Type": "application/json; charset=utf-8", "Content-Range": "0-0/1" };
  return { answer: { status, headers: { ...type, ...headers }, body } };
}

const KINDS: readonly Kind[] = [
  // One of each class of SQLSTATE that a statement can end with, and those that have a sentence of their own.
  ...["20000", "21000", "22012", "22P02", "23514", "26000", "2F003", "34000"].map((code) =>
    refused(400, code),
  ),
  ...["38000", "39000", "3F000", "42804", "44000", "P0001", "0A000"].map((code) => refused(400, code)),
  ...["40001", "40P01", "42P17", "54001", "55000", "55P03", "57014"].map((code) => refused(500, code)),
  ...["58030", "F0000", "HV000", "XX001", "53200", "53400"].map((code) => refused(500, code)),
  ...[refused(503, "53100"), refused(405, "25006"), refused(403, "28000"), refused(403, "42501")],
  ...[refused(404, "42P01"), refused(400, "42703"), refused(404, "42883")],
  // Of PostgREST itself.
  ...["PGRST100", "PGRST108", "PGRST204"].map((code) => refused(400, code)),
  ...[refused(416, "PGRST103"), refused(404, "PGRST205"), refused(404, "PGRST125")],
  refused(500, "PGRSTX00"),
  // Of a gateway or proxy that treats one path differently.
  ...[400, 401, 403, 404, 405, 406, 408, 413, 414, 418, 451, 500, 502, 503, 504, 520, 524, 544].map(
    (status): Kind => ({ effect: { answer: htmlFailure(status) }, says: `HTTP ${status}` }),
  ),
  { effect: { reset: "before" }, says: /connection to .* broke/ },
  { effect: { reset: "lost-reply" }, says: /connection to .* broke/ },
  { effect: { cut: { after: 2 } }, says: /broke|ended early/ },
  { effect: { cut: { after: 2, chunked: true } }, says: /broke|ended early/ },
  // Answers that are none.
  { effect: { answer: htmlFailure(200) }, says: /does not answer as the data API|no exact row count/ },
  { effect: answered(200, "", { "Content-Range": "" }), says: /ended early|no exact row count/ },
  { effect: answered(200, '[{"id":'), says: "ended early" },
  { effect: answered(200, '[{"id":1,"v":2,"more":3}]'), says: /not rows of|returns no rows/ },
  { effect: answered(200, '[{"id":"one","v":2}]'), says: /not rows of|returns no rows/ },
  { effect: answered(200, '{"id":1}'), says: "does not answer as the data API" },
  { effect: answered(200, "[]", { "Content-Range": "*/*" }), says: /no exact row count|returns no rows/ },
];

const nameOf = (at: number): string => `odd_${String(at).padStart(2, "0")}`;
const odd = KINDS.map((_, at) => `collection ${nameOf(at)}`);

const isCount = ({ headers }: Recorded): boolean => /count=exact/.test(headers.prefer ?? "");
const isPage = (request: Recorded): boolean => /[?&]order=/.test(request.target) && !isCount(request);
/** When a table fails: whatever is asked of it, when it is counted, when its rows are read page by page. */
const STAGES = [() => true, isCount, isPage] as const;
/** Each kind at one of the stages; in long runs at each of them. */
const TURNS = process.env.DUALSYNC_TEST_LONG === undefined ? [0] : [0, 1, 2];
const isOn = (request: Recorded, at: number, turn: number): boolean =>
  request.path === `/${nameOf(at)}` && (STAGES[(at + turn) % STAGES.length]?.(request) ?? false);

interface Ended {
  readonly code: number | null;
  readonly named: ReadonlyMap<string, string>;
  readonly verdicts: ReadonlyMap<string, string>;
  readonly text: string;
}

async function run(...args: string[]): Promise<Ended> {
  const { code, stdout, stderr } = await pair.run([...args, "--json"], folder(), ONCE);
  const found = records(stdout);
  const named = found
    .filter(({ type }) => type === "item" || type === "diff")
    .map(({ key, reason, detail }) => [String(key), String(reason ?? detail)] as const);
  const verdicts = found
    .filter(({ type }) => type === "collection")
    .map(({ collection, verdict }) => [String(collection), String(verdict)] as const);
  return { code, named: new Map(named), verdicts: new Map(verdicts), text: stdout + stderr };
}

function askedFor(path: string, before: number): readonly Recorded[] {
  return pair.project.requests.slice(before).filter((request) => request.path.startsWith(path));
}

async function sql(statements: string): Promise<void> {
  await pair.project.query(statements);
  await pair.project.reload();
}

/** "key: reason" of those whose reason is not what their kind says. */
function misnamed(named: Ended["named"]): string[] {
  return KINDS.flatMap(({ says }, at) => {
    const key = odd[at] ?? "";
    const reason = named.get(key) ?? "not named";
    const isRight = typeof says === "string" ? reason.includes(says) : says.test(reason);
    return isRight ? [] : [`${key}, which ends with ${says}: ${reason}`];
  });
}

it.each(TURNS)(
  "tables that fail in every way that a project can answer are named with its own code, and the others are copied and compared (%i)",
  async (turn) => {
    const names = ["a_good", ...KINDS.map((_, at) => nameOf(at)), "z_good"];
    const tables = names.map(
      (name) =>
        `create table ${name} (id int primary key, v int); insert into ${name} values (1, 1), (2, 2);`,
    );
    await sql(tables.join(" "));
    const active = KINDS.map(({ effect }, at) =>
      pair.fail({ ...effect, on: (request) => isOn(request, at, turn) }),
    );
    const copied = await run("backfill");
    expect(misnamed(copied.named)).toEqual([]);
    expect([copied.code, [...copied.named.keys()].sort()], copied.text).toEqual([3, odd]);
    const compared = await run("diff");
    expect(misnamed(compared.named)).toEqual([]);
    expect([compared.code, [...compared.named.keys()].sort()], compared.text).toEqual([12, odd]);
    for (const good of ["a_good", "z_good"])
      expect([copied.verdicts.get(good), compared.verdicts.get(good)]).toEqual(["verified", "identical"]);
    expect(copied.text + compared.text).not.toContain(CANARY);
    expect(active.filter(({ hits }) => hits === 0)).toEqual([]);
  },
);

/** Views that Postgres itself cannot compute, with the code that it ends with. The type of their key hides that they are views. */
const VIEWS: ReadonlyArray<readonly [code: string, view: string]> = [
  ["21000", "select id, v from a_good where id = (select id from a_good)"],
  ["22012", "select id, 1 / (v - 1) as v from a_good"],
  ["22P02", "select id, ('no number ' || v)::int as v from a_good"],
  ["57014", "select id, v, pg_sleep(5)::text as late from a_good"],
  ["P0001", "select id, raising(v) as v from a_good"],
  ["25006", "select id, writing(v) as v from a_good"],
  ["54001", "select id, endless(v) as v from a_good"],
];

describe("views that the database cannot compute", () => {
  const views = VIEWS.map(([, text], at) => `create view bad_${at} as ${text};`).join(" ");
  const keys = VIEWS.map((_, at) => `collection bad_${at}`);

  beforeEach(async () => {
    await sql(`create domain given as int not null;
      create table a_good (id given primary key, v int); insert into a_good values (1, 1), (2, 2);
      create function raising(v int) returns int language plpgsql as $$ begin raise '${CANARY}'; end $$;
      create function writing(v int) returns int language sql as $$ insert into a_good values (9, v) returning v $$;
      create function endless(v int) returns int language plpgsql as $$ begin return endless(v + 1); end $$;
      create view bad_and_known as select id::int, v / 0 as v from a_good;
      ${views}`);
    pair.project.settings.statementTimeoutMs = 1_000;
  });
  afterEach(async () => {
    pair.project.settings.statementTimeoutMs = undefined;
    await setSession(pair.project, {}); // what still runs would hold locks
    await sql("drop function raising, writing, endless cascade; drop domain given cascade");
  });

  it("are named with the code of the database, and everything else is copied and compared", async () => {
    for (const [command, code] of [
      ["backfill", 3],
      ["diff", 12],
    ] as const) {
      const { text, named, ...ended } = await run(command);
      expect([ended.code, [...named.keys()].sort()], text).toEqual([code, keys]);
      for (const [at, [code]] of VIEWS.entries()) expect(named.get(keys[at] ?? "")).toContain(code);
      for (const reason of named.values()) expect(reason).not.toMatch(/touch a row twice|batch|does not fit/);
    }
  });

  it("are not asked for when they are left out", async () => {
    for (const flags of [
      ["--exclude", "bad_*"],
      ["--include", "a_good"],
    ]) {
      const before = pair.project.requests.length;
      for (const command of ["backfill", "diff"]) {
        const { code, text } = await run(command, ...flags);
        expect(code, text).toBe(0);
      }
      expect(askedFor("/bad_", before)).toEqual([]);
    }
  });

  it("are not asked for by a repair of another table", async () => {
    expect((await run("backfill", "--include", "a_good")).code).toBe(0);
    await pair.to.db(pair.database).collection("a_good").deleteOne({ v: 2 });
    const cwd = folder();
    const compared = await pair.run(["diff", "--include", "a_good", "--plan", "night.plan"], cwd);
    expect(compared.code, compared.stderr).toBe(1);
    const before = pair.project.requests.length;
    const repaired = await pair.run(["repair", "night.plan", "--yes"], cwd);
    expect(repaired.code, repaired.stdout + repaired.stderr).toBe(0);
    expect(askedFor("/bad_", before)).toEqual([]);
  });
});

describe("a table that can be read no more once it is listed", () => {
  beforeEach(async () => {
    await sql(`create table a_good (id int primary key); insert into a_good values (1);
      create table odd (id int primary key); insert into odd values (1)`);
  });

  it("does not keep other tables from being adopted", async () => {
    await pair.to.db(pair.database).collection<{ _id: number }>("odd").insertOne({ _id: 2 });
    await pair.to.db(pair.database).collection<{ _id: number }>("a_good").insertOne({ _id: 2 });
    const onPages = (request: Recorded): boolean => request.path === "/odd" && isPage(request);
    const fault = pair.fail({ on: onPages, answer: htmlFailure(404) });
    const { code, named, verdicts, text } = await run("backfill", "--into-existing", pair.database);
    expect([code, [...named.keys()]], text).toEqual([3, ["collection odd"]]);
    expect(named.get("collection odd")).toContain("HTTP 404");
    expect(verdicts.get("a_good")).toBe("verified");
    fault.stop();
    const next = await run("backfill", "--into-existing", pair.database);
    expect([next.code, next.verdicts.get("odd")], next.text).toEqual([0, "verified"]);
  });

  it("is named by diff where the copy does not have it, and the others are compared", async () => {
    expect((await run("backfill", "--exclude", "odd")).code).toBe(0);
    const { effect } = refused(500, "21000");
    pair.fail({ ...effect, on: (request) => request.path === "/odd" && isCount(request), at: 2 });
    const { code, named, verdicts, text } = await run("diff");
    expect([code, [...named.keys()]], text).toEqual([12, ["collection odd"]]);
    expect(named.get("collection odd")).toContain("21000");
    expect(verdicts.get("a_good")).toBe("identical");
  });

  it("is named by repair, and other tables are repaired", async () => {
    expect((await run("backfill")).code).toBe(0);
    const cwd = folder();
    for (const name of ["a_good", "odd"]) await pair.to.db(pair.database).collection(name).deleteMany({});
    expect((await pair.run(["diff", "--plan", "night.plan"], cwd)).code).toBe(1);
    const isLookup = ({ path, target }: Recorded): boolean => path === "/odd" && /[?&]id=/.test(target);
    pair.fail({ on: isLookup, answer: htmlFailure(404) });
    const { code, stdout } = await pair.run(["repair", "night.plan", "--yes"], cwd, ONCE);
    expect(code, stdout).toBe(3);
    expect(stdout).toMatch(/document odd\/1: .*HTTP 404/);
    expect(await pair.to.db(pair.database).collection("a_good").countDocuments()).toBe(1);
  });
});
