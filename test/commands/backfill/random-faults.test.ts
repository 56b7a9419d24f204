import { expect, it } from "vitest";
import type { Answer } from "../../services/http/delivery.ts";
import { htmlFailure, statementTimeout, tooManyRequests } from "../../services/postgrest/answer/answers.ts";
import type { Effect, Recorded } from "../../services/postgrest/faults.ts";
import { Random } from "../../shops/random.ts";
import { fillStorefront } from "../../shops/storefront.ts";
import { contents } from "../../support/data/snapshot.ts";
import { projectPair } from "../../support/stores/project-pair.ts";

/** One fault at a random request: nothing that is missing or other is ever called done or identical. */
const pair = projectPair();
const LONG = process.env.DUALSYNC_TEST_LONG !== undefined;
const POINTS = LONG ? 300 : 5;
const SEED = Number(process.env.DUALSYNC_TEST_SEED ?? 20);
const CUSTOMERS = 40;
const MOST = 15;
/** One try more, and small pages: several requests, and no long waits. */
const SOME = { SYNC_MAX_RETRIES: "1" };

function rows(body: string, range: string): Answer {
  const headers = { "Content-Type": "application/json; charset=utf-8", "Content-Range": range };
  return { status: 200, headers, body };
}

const EFFECTS: ReadonlyArray<(random: Random) => Effect> = [
  () => ({ answer: rows("[]", "*/*") }),
  () => ({ answer: rows("[]", "*/0") }),
  () => ({ answer: htmlFailure(200) }),
  () => ({ answer: htmlFailure(502) }),
  () => ({ answer: htmlFailure(404) }),
  () => ({ answer: { status: 404, headers: {}, body: "" } }),
  () => ({ answer: statementTimeout() }),
  () => ({ answer: tooManyRequests() }),
  () => ({ reset: "before" }),
  () => ({ reset: "lost-reply" }),
  (random) => ({ cut: { after: random.whole(0, 3_000) } }),
  (random) => ({ cut: { after: random.whole(0, 3_000), chunked: true } }),
  // Somebody changes the table at that moment, and takes it back before the next request.
  () => ({ before: () => pair.project.query("alter table customers rename to hidden") }),
];

interface Struck {
  readonly about: string;
  readonly code: number | null;
  readonly stdout: string;
}

/** Runs it with a fault at a request of its own choice; `requests`: how many a run makes about. */
async function struck(command: readonly string[], random: Random, requests: number): Promise<Struck> {
  const effect = random.pick(EFFECTS)(random);
  const at = random.whole(1, requests);
  const about = `seed ${SEED}: ${JSON.stringify(effect)} at request ${at} of ${command.join(" ")}`;
  let target = "";
  const mark = ({ target: seen }: Recorded): true => {
    target = seen;
    return true;
  };
  let number = 0;
  // A table that is gone while tables are listed is one that the project has not.
  const isFor = ({ path }: Recorded): boolean => effect.before === undefined || path !== "/";
  const fault = pair.fail({
    ...effect,
    on: (request) => ++number === at && isFor(request) && mark(request),
  });
  const undo = pair.fail({
    on: () => number > at && effect.before !== undefined,
    times: 1,
    before: () => pair.project.query("alter table if exists hidden rename to customers"),
  });
  const { code, stdout, stderr } = await pair.run(command, undefined, { env: SOME });
  fault.stop();
  undo.stop();
  await pair.project.query("alter table if exists hidden rename to customers");
  return { about: `${about}: ${target}\n${stdout}${stderr}`, code, stdout };
}

async function fill(): Promise<void> {
  await fillStorefront(pair.project.query, { customers: CUSTOMERS });
  await pair.project.reload();
  pair.project.settings.maxRows = MOST;
}

const copy = async () => ({
  customers: await contents(pair.to, pair.database, "customers"),
  shops: await contents(pair.to, pair.database, "shops"),
});

it(`a backfill with faults at ${POINTS} random requests (seed ${SEED}) ends with every row or with a failure`, {
  timeout: POINTS * 20_000,
}, async () => {
  await fill();
  const random = new Random(SEED);
  const before = pair.project.requests.length;
  expect((await pair.run(["backfill"])).code).toBe(0);
  const requests = pair.project.requests.length - before;
  const wanted = await copy();
  expect(wanted.customers.count).toBe(CUSTOMERS);
  const ends: (number | null)[] = [];
  for (let point = 0; point < POINTS; point++) {
    const filled = random.whole(0, 1) === 1;
    if (filled) await pair.to.db(pair.database).collection("customers").deleteMany({ vip: true });
    else await pair.to.db(pair.database).dropDatabase();
    const { about, code, stdout } = await struck(["backfill"], random, requests);
    ends.push(code);
    expect([0, 3, 4, 6, 8], about).toContain(code);
    if (code === 0) expect(await copy(), about).toEqual(wanted);
    else expect(stdout, about).not.toMatch(/^Done/m);
    if (filled && code !== 0) expect((await pair.run(["backfill"])).code, about).toBe(0);
  }
  console.log(`${POINTS} points of backfill, seed ${SEED}, ${requests} requests a run: ${ends.join(" ")}`);
});

it(`a diff with faults at ${POINTS} random requests (seed ${SEED}) never ends with 0 for different stores or with 1 for equal ones`, {
  timeout: POINTS * 20_000,
}, async () => {
  await fill();
  expect((await pair.run(["backfill"])).code).toBe(0);
  const customers = pair.to.db(pair.database).collection("customers");
  const before = pair.project.requests.length;
  expect((await pair.run(["diff"])).code).toBe(0);
  const requests = pair.project.requests.length - before;
  const random = new Random(SEED);
  const ends: string[] = [];
  for (let point = 0; point < POINTS; point++) {
    const [one] = await customers
      .find()
      .skip(random.whole(0, CUSTOMERS - 1))
      .limit(1)
      .toArray();
    if (one === undefined) throw new Error("the copy is empty");
    const { _id } = one;
    const kind = random.pick(["missing", "altered", "extra", "equal"] as const);
    if (kind === "missing") await customers.deleteOne({ _id });
    if (kind === "altered") await customers.updateOne({ _id }, { $set: { name: "somebody" } });
    const extra = "00000000-0000-4000-8000-000000000000";
    if (kind === "extra") await customers.insertOne({ ...one, _id: extra as never });
    const command = random.pick([["diff"], ["diff", "--from", "mongodb", "--to", "supabase"]]);
    // What differs is looked at once more, by its key.
    const { about, code } = await struck(command, random, requests + (kind === "equal" ? 0 : 2));
    ends.push(`${kind} ${code}`);
    if (kind === "equal") expect([0, 4, 5, 8, 12], `${kind}, ${about}`).toContain(code);
    else expect([1, 4, 5, 8, 12], `${kind}, ${about}`).toContain(code);
    await customers.deleteOne({ _id: extra as never });
    await customers.replaceOne({ _id }, one, { upsert: true });
  }
  console.log(`${POINTS} points of diff, seed ${SEED}, ${requests} requests a run: ${ends.join(", ")}`);
});
