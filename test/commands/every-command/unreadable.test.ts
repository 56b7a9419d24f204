import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, expect, it } from "vitest";
import { fillStorefront } from "../../shops/storefront.ts";
import { records } from "../../support/cli.ts";
import { folder } from "../../support/compared.ts";
import { projectPair } from "../../support/stores/project-pair.ts";

/** A project whose tables were copied, and of which some cannot be read any more. */
const pair = projectPair();
const CUSTOMERS = 15;

const sql = async (text: string): Promise<void> => {
  await pair.project.query(text);
  await pair.project.reload();
};
const held = (name: string) => pair.to.db(pair.database).collection(name).countDocuments();

let cwd = "";
beforeEach(async () => {
  cwd = folder();
  await fillStorefront(pair.project.query, { customers: CUSTOMERS });
  await pair.project.reload();
  const { code, stdout } = await pair.run(["backfill"], cwd);
  expect(code, stdout).toBe(0);
});

/** What a comparison reports: "kind key", sorted. */
async function reported(...flags: string[]): Promise<{ code: number | null; found: string[] }> {
  const { code, stdout } = await pair.run(["diff", "--json", ...flags], cwd);
  const found = records(stdout).filter(({ type }) => type === "diff");
  return { code, found: found.map(({ kind, key }) => `${kind} ${key}`).sort() };
}

/** The keys of what a copy has lost. */
async function lost(...flags: string[]): Promise<{ code: number | null; found: string[]; stdout: string }> {
  const { code, stdout } = await pair.run(["backfill", "--json", ...flags], cwd);
  const items = records(stdout).filter(({ type }) => type === "item");
  return { code, found: items.map(({ key }) => String(key)).sort(), stdout };
}

const SOME_RIGHT = "revoke select on customers, shop from service_role";
const NO_RIGHT = "revoke all on customers, shop from service_role";

it.each([
  ["it may still be written", SOME_RIGHT],
  ["the project does not even list it", NO_RIGHT],
])(
  "a table that may not be read is named as unreadable, and never as gone, when %s",
  async (_, statement) => {
    await sql(`create table open (id int4 primary key); ${statement}; insert into open values (1);`);
    const keys = ["collection customers", "collection shop"];
    expect(await reported("--plan", "repair.plan")).toEqual({
      code: 1, // the table that is new is not in the copy yet
      found: ["metadata collection open", ...keys.map((key) => `unreadable ${key}`)],
    });
    const plan = readFileSync(join(cwd, "repair.plan"), "utf8");
    expect(plan).not.toMatch(/"do":"remove"/);
    for (const flags of [[], ["--delete", "--yes"], ["--delete", "--allow-shrink", "--yes"]]) {
      const copied = await lost(...flags);
      expect([copied.code, copied.found]).toEqual([3, keys]);
      expect(copied.stdout).not.toMatch(/Only in the target/);
    }
    expect([await held("customers"), await held("shops"), await held("open")]).toEqual([CUSTOMERS, 1, 1]);
    expect(await reported()).toEqual({ code: 12, found: keys.map((key) => `unreadable ${key}`) });
    expect(await reported("--include", "customers")).toEqual({
      code: 12,
      found: ["unreadable collection customers"],
    });
  },
);

it("a dropped table is reported as gone by backfill and diff, under one key", async () => {
  await sql("drop table shop");
  expect(await reported()).toEqual({ code: 1, found: ["metadata collection shops"] });
  const copied = await lost();
  expect([copied.code, copied.found]).toEqual([3, ["collection shops"]]);
  expect(await held("shops")).toBe(1);
});

it("a repair does not touch the copy of a table that may no longer be read, and repairs the others", async () => {
  const customers = pair.to.db(pair.database).collection("customers");
  await customers.insertOne({ _id: "e2b4e3f0-0000-4000-8000-000000000000" as never, name: "only here" });
  await pair.to.db(pair.database).collection("shops").deleteMany({});
  expect((await reported("--plan", "repair.plan")).code).toBe(1);
  await sql("revoke all on customers from service_role");
  const { code, stdout } = await pair.run(
    ["repair", "repair.plan", "--delete", "--allow-shrink", "--yes"],
    cwd,
  );
  expect(code, stdout).toBe(3);
  expect(stdout).toMatch(/document customers\/\S+.*its collection in the source cannot be read/);
  expect([await held("customers"), await held("shops")]).toEqual([CUSTOMERS + 1, 1]);
});

it("a table all of whose rows are hidden is not reported as gone", async () => {
  await sql("alter table customers enable row level security; alter role service_role nobypassrls");
  try {
    expect(await reported()).toEqual({ code: 12, found: ["unreadable collection customers"] });
  } finally {
    await sql("alter role service_role bypassrls");
  }
});

/** Takes the right away once the last row of the table is read, before the project is asked whether it is still there. */
function revokedAfterwards(): { readonly hits: number } {
  const before = pair.project.requests.length;
  const isRead = () =>
    pair.project.requests
      .slice(before)
      .some(({ target }) => /\/customers\?select=id%2C.*&limit=1000/.test(target));
  return pair.fail({
    on: ({ path, target }) => path === "/customers" && /&limit=0\b/.test(target) && isRead(),
    times: 1,
    before: () => pair.project.query("revoke all on customers from service_role"),
  });
}

it("a table that may no longer be read after its last row is named, and the others are copied and compared", async () => {
  const inDiff = revokedAfterwards();
  expect(await reported()).toEqual({ code: 12, found: ["unreadable collection customers"] });
  expect(inDiff.hits).toBe(1);
  await sql("grant all on customers to service_role");
  const inCopy = revokedAfterwards();
  const { code, found, stdout } = await lost();
  expect([code, found]).toEqual([3, ["collection customers"]]);
  expect(stdout).not.toMatch(/dropped or replaced/);
  expect(inCopy.hits).toBe(1);
});

it("a table that may not be read is not reported as absent, whoever made the copy", async () => {
  await pair.to.db(pair.database).collection("_dualsync").drop();
  for (const key of ["customers", "shop"]) {
    await sql(`grant all on customers, shop to service_role; revoke all on ${key} from service_role`);
    expect(await reported()).toEqual({ code: 12, found: [`unreadable collection ${key}`] });
  }
  const copied = await lost("--into-existing", pair.database);
  expect([copied.code, copied.found]).toEqual([3, ["collection shop"]]);
  expect(copied.stdout).not.toMatch(/Only in the target/);
});

it("a collection that an application keeps beside the copy is not reported as a difference", async () => {
  await pair.to.db(pair.database).collection("sessions").insertOne({ at: new Date() });
  expect(await reported()).toEqual({ code: 0, found: [] });
  const copied = await lost();
  expect([copied.code, copied.found]).toEqual([0, []]);
  expect(copied.stdout).toMatch(/Only in the target, and kept: .*sessions/);
});
