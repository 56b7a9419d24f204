import { MongoClient } from "mongodb";
import { beforeAll, expect, it } from "vitest";
import { withDatabase } from "../../services/mongodb/mongodb.ts";
import { Random } from "../../shops/random.ts";
import { dualsync, records, summary } from "../../support/cli.ts";
import { contents } from "../../support/data/snapshot.ts";
import { type FacedMongodb, startFaced } from "../../support/stores/faced.ts";

let source: FacedMongodb;
let target: FacedMongodb;
let from: MongoClient;
let to: MongoClient;
beforeAll(async () => {
  [source, target] = await Promise.all([startFaced(), startFaced()]);
  from = new MongoClient(source.directUri);
  to = new MongoClient(target.directUri);
  const text = "x".repeat(8_000);
  await from
    .db("shop")
    .collection<{ _id: number; text: string }>("orders")
    .insertMany(Array.from({ length: 3_000 }, (_, _id) => ({ _id, text })));
  return async () => {
    await Promise.all([from.close(), to.close()]);
    await Promise.all([source.stop(), target.stop()]);
  };
});

it.each([
  ["SIGINT", 130],
  ["SIGTERM", 143],
] as const)("%s stops a copy cleanly, and the same command completes it", async (signal, status) => {
  await to.db("shop").dropDatabase();
  const env = { LIVE: withDatabase(source.uri, "shop"), COPY: withDatabase(target.uri, "shop") };
  const args = ["duplicate", "--json", "--from", "env:LIVE", "--to", "env:COPY"];
  const stopped = await dualsync(args, {
    env,
    onStart: (child) => {
      // The plan is out: the first writes are on their way.
      child.stdout?.once("data", () => child.kill(signal));
    },
  });
  expect(stopped.code).toBe(status);
  expect(summary(stopped.stdout)).toMatchObject({ type: "summary", exitCode: status });
  expect(records(stopped.stdout).find(({ type }) => type === "error")).toMatchObject({
    hint: expect.stringMatching(/Run the same command again/),
  });
  const again = await dualsync(args, { env });
  expect(again.code).toBe(0);
  expect(await contents(to, "shop", "orders")).toEqual(await contents(from, "shop", "orders"));
});

it("only one of two concurrent runs writes, and the other names it and exits with 7", async () => {
  await to.db("shop").dropDatabase();
  const env = { LIVE: withDatabase(source.uri, "shop"), COPY: withDatabase(target.uri, "shop") };
  const args = ["duplicate", "--json", "--from", "env:LIVE", "--to", "env:COPY"];
  const runs = await Promise.all([dualsync(args, { env }), dualsync(args, { env })]);
  expect(runs.map(({ code }) => code).sort()).toEqual([0, 7]);
  const refused = runs.find(({ code }) => code === 7);
  expect(refused?.stdout).toMatch(/is locked by dualsync duplicate on .* since 20/);
  expect(await contents(to, "shop", "orders")).toEqual(await contents(from, "shop", "orders"));
});

const POINTS = process.env.DUALSYNC_TEST_LONG === undefined ? 3 : 100;

it(`Ctrl-C at any of ${POINTS} moments leaves nothing that stops the next run`, {
  timeout: POINTS * 10_000,
}, async () => {
  await to.db("shop").dropDatabase();
  const env = { LIVE: withDatabase(source.uri, "shop"), COPY: withDatabase(target.uri, "shop") };
  const args = ["duplicate", "--json", "--from", "env:LIVE", "--to", "env:COPY"];
  const random = new Random(20);
  const ends: (number | null)[] = [];
  for (let point = 0; point < POINTS; point++) {
    const delay = random.whole(0, 1_500);
    const { code } = await dualsync(args, {
      env,
      onStart: (child) => void setTimeout(() => child.kill("SIGINT"), delay),
    });
    ends.push(code);
  }
  // Killed by the signal itself before the program listened (null), stopped cleanly (130), or done before it came (0).
  expect(ends.filter((code) => code !== null && code !== 130 && code !== 0)).toEqual([]);
  expect((await dualsync(args, { env })).code).toBe(0);
  expect(await contents(to, "shop", "orders")).toEqual(await contents(from, "shop", "orders"));
  console.log(`interrupted at ${POINTS} points: ${ends.join(" ")}`);
});
