import { expect, it } from "vitest";
import { fillStorefront } from "../../shops/storefront.ts";
import { collectionRecord } from "../../support/cli.ts";
import { projectPair } from "../../support/stores/project-pair.ts";

/** What must not or cannot be copied, and how that is reported. */
const pair = projectPair();
const CUSTOMERS = 30;

const count = (name: string) => pair.to.db(pair.database).collection(name).countDocuments();
const backfill = (...flags: string[]) => pair.run(["backfill", ...flags]);

async function sql(statements: string): Promise<void> {
  await pair.project.query(statements);
  await pair.project.reload();
}

const fill = () =>
  fillStorefront(pair.project.query, { customers: CUSTOMERS }).then(() => pair.project.reload());

it("public keys are rejected before anything is contacted, and a wrong key by the project", async () => {
  await fill();
  const before = pair.project.requests.length;
  for (const key of [pair.project.anonKey, pair.project.publishableKey, pair.project.limitedKey]) {
    const { code, stderr } = await pair.run(["backfill"], undefined, {
      env: { SUPABASE_SERVICE_ROLE_KEY: key },
    });
    expect(code).toBe(2);
    expect(stderr).toMatch(/public key/);
    expect(stderr).not.toContain(key);
  }
  expect(pair.project.requests).toHaveLength(before);
  const wrong = "sb_secret_notOfThisProject0000_1a2b3c4d";
  const { code, stdout, stderr } = await pair.run(["backfill"], undefined, {
    env: { SUPABASE_SERVICE_ROLE_KEY: wrong },
  });
  expect(code).toBe(8);
  expect(stdout + stderr).toMatch(/refuses the key/);
  expect(stdout + stderr).not.toContain(wrong);
});

it("a server that treats the key as public or lists no tables does not count as an empty project", async () => {
  await fill();
  const headers = { apikey: pair.project.anonKey, accept: "application/openapi+json" };
  const anonymous = await fetch(`${pair.project.url}/rest/v1/`, { headers });
  const [body, type] = [await anonymous.text(), "application/json; charset=utf-8"];
  const taken = pair.fail({
    on: "/",
    answer: { status: anonymous.status, headers: { "Content-Type": type }, body },
  });
  expect((await backfill()).code).toBe(8);
  taken.stop();
  pair.project.settings.described = false;
  const disabled = await backfill();
  pair.project.settings.described = true;
  expect(disabled.code).toBe(4);
  expect(disabled.stderr).toMatch(/openapi_mode/);
  for (const garbled of ["{}", "[]", '{"definitions":[]}', '{"swagger":"2.0"'] as const) {
    const answer = { status: 200, headers: { "Content-Type": "application/openapi+json" }, body: garbled };
    const fault = pair.fail({ on: "/", answer });
    const { code, stderr } = await pair.run(["backfill"], undefined, { env: { SYNC_MAX_RETRIES: "0" } });
    expect(code, stderr).toBe(4);
    fault.stop();
  }
  expect(await pair.to.db(pair.database).listCollections().toArray()).toEqual([]);
});

it("an empty project and a table that the API does not know yet are reported with the SQL to run", async () => {
  await pair.project.reload();
  const empty = await backfill();
  expect(empty.code).toBe(4);
  expect(empty.stderr).toMatch(/shows no table[\s\S]*grant select on all tables in schema public/);
  await sql("create table known (id int4 primary key)");
  await pair.project.query("create table fresh (id int4 primary key)");
  const fresh = await backfill("--include", "fresh");
  expect(fresh.code).toBe(6);
  expect(fresh.stderr).toMatch(/matches "fresh"[\s\S]*notify pgrst, 'reload schema'/);
});

it("a table that the key may not read is named with its grant, and the others are copied", async () => {
  await fill();
  await sql(
    "revoke select on customers from service_role; grant select (id, email) on customers to service_role",
  );
  const { code, stdout } = await backfill();
  expect(code).toBe(3);
  expect(stdout).toMatch(/collection customers: .*grant select on table public\.customers to service_role;/);
  expect(await count("shops")).toBe(1);
  expect((await pair.run(["diff"])).code).toBe(12);
});

it("rows hidden by row-level security are not treated as deleted, and a table without visible rows is mentioned", async () => {
  await fill();
  await sql("alter table customers enable row level security; alter role service_role nobypassrls");
  try {
    const first = await backfill();
    expect(first.stdout).toMatch(/This key sees no rows in customers\./);
    await sql("alter role service_role bypassrls");
    expect((await backfill()).code).toBe(0);
    await sql("alter role service_role nobypassrls");
    for (const flags of [[], ["--delete", "--yes"], ["--since", "last"]]) {
      const { code, stdout, stderr } = await backfill(...flags);
      expect(code, stdout + stderr).toBe(6);
      expect(stderr).toMatch(/row-level security|would remove them all/);
    }
    // Hidden or gone: neither is proved.
    expect((await pair.run(["diff"])).code).toBe(12);
    expect(await count("customers")).toBe(CUSTOMERS);
  } finally {
    await sql("alter role service_role bypassrls");
  }
});

it("--delete does not follow a table that lost more than half of its rows without --allow-shrink", async () => {
  await fill();
  await backfill();
  await sql("delete from customers where visits % 40 > 10");
  const refused = await backfill("--delete", "--yes");
  expect(refused.code).toBe(6);
  expect(await count("customers")).toBe(CUSTOMERS);
  expect((await backfill("--delete", "--yes", "--allow-shrink")).code).toBe(0);
  expect((await pair.run(["diff"])).code).toBe(0);
  await sql("delete from customers");
  expect((await backfill("--delete", "--yes", "--allow-shrink")).code).toBe(6);
  expect(await count("customers")).toBeGreaterThan(0);
});

it("a dropped table is named, and its copy is kept", async () => {
  await fill();
  await backfill();
  await sql("drop table customers");
  const { code, stdout } = await backfill("--delete", "--yes");
  expect(code).toBe(3);
  expect(stdout).toMatch(
    /collection customers: its table was copied before, but the source no longer lists it/,
  );
  expect(await count("customers")).toBe(CUSTOMERS);
  expect((await pair.run(["diff"])).stdout).toMatch(/collection customers: only in the target/);
  const reversed = await pair.run(["diff", "--from", "mongodb", "--to", "supabase"]);
  expect(reversed.stdout).toMatch(/collection customers: only in the source/);
  expect((await backfill("--accept", "collection customers")).code).toBe(0);
});

it("a swapped pair is refused, and nothing is written to the project", async () => {
  await fill();
  await backfill();
  const { code, stderr } = await backfill("--from", "mongodb", "--to", "supabase");
  expect(code).toBe(2);
  expect(stderr).not.toBe("");
  expect(pair.project.requests.every(({ method }) => method === "GET" || method === "HEAD")).toBe(true);
});

it("tables called shop and shops are copied into two collections, and never into one", async () => {
  await sql(`create table shop (id int4 primary key); create table shops (id int4 primary key, n int4);
    insert into shop values (1), (2); insert into shops values (1, 1)`);
  expect((await backfill()).code).toBe(0);
  expect([await count("shop"), await count("shops")]).toEqual([2, 1]);
  expect((await backfill("--rename", "shop=shops")).code).toBe(6);
  expect([await count("shop"), await count("shops")]).toEqual([2, 1]);
});

it("table names that MongoDB cannot have are reported and can be renamed, and all others are kept", async () => {
  const impossible = ["dol$lar", "system.users", "do..t", ".lead"];
  const odd = [
    "a b",
    "q\"uote's",
    "sl/ash",
    "per%cent",
    "wh?y",
    "ha#sh",
    "rpc",
    "__proto__",
    "new\nline",
    "Größe",
  ];
  const columns = `id int4 primary key, "select" int4, "or" text, "a.b" text, "$x" text, "__proto__" text, "q""?&=#%, (" text`;
  for (const name of [...impossible, ...odd]) {
    const quoted = `"${name.replaceAll('"', '""')}"`;
    await pair.project.query(
      `create table ${quoted} (${columns}); insert into ${quoted} values (1, 2, 'x', 'y', 'z', 'u', 'v'), (2, null, null, null, null, null, null)`,
    );
  }
  await pair.project.reload();
  const { code, stdout } = await backfill();
  expect(code, stdout).toBe(3);
  for (const name of impossible) expect(stdout).toContain(`collection ${name}: `);
  for (const name of odd) expect([name, await count(name)]).toEqual([name, 2]);
  expect(await pair.to.db(pair.database).collection("a b").findOne({ select: 2 })).toEqual(
    JSON.parse('{"_id":1,"select":2,"or":"x","a.b":"y","$x":"z","__proto__":"u","q\\"?&=#%, (":"v"}'),
  );
  const renames = impossible.flatMap((name, i) => ["--rename", `${name}=other${i}`]);
  expect((await backfill(...renames)).code).toBe(0);
  expect(await count("other3")).toBe(2);
  expect((await pair.run(["diff", ...renames])).code).toBe(0);
});

it("tables and rows that cannot become documents are named and left out", async () => {
  await sql(`
    create table nokey (a int4); insert into nokey values (1), (1);
    create table other_id (id int4 primary key, _id text);
    create table sidecar (id int4 primary key, _ds text);
    create table own_id (_id int4 primary key, id text); insert into own_id values (1, 'x');
    create table deep (id int4 primary key, j jsonb);
    insert into deep select n, (repeat('[', n) || repeat(']', n))::jsonb from unnest(array[1, 90, 200, 900]) n;
    create table big (id int4 primary key, t text); insert into big values (1, repeat('x', 17000000)), (2, 'small');
  `);
  const { code, stdout } = await backfill("--json");
  expect(code).toBe(3);
  for (const key of ["collection nokey", "collection other_id", "collection sidecar", "document big/1"])
    expect(stdout).toContain(`"${key}"`);
  expect(collectionRecord(stdout, "big")).toMatchObject({ read: 2, written: 1, rejected: 1 });
  expect([await count("own_id"), await count("big")]).toEqual([1, 1]);
  const deep = collectionRecord(stdout, "deep");
  expect(await count("deep")).toBe(4 - Number(deep?.rejected));
  const compared = await pair.run(["diff", "--exclude", "big", "--exclude", "deep"]);
  expect(compared.code, compared.stdout).toBe(12);
  expect(compared.stdout).toMatch(/nokey {2}could not be compared/);
});
