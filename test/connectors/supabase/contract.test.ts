import { deserialize } from "bson";
import { beforeAll, expect, it } from "vitest";
import { leaseSql } from "../../../src/connectors/supabase/sql/sql-lease.ts";
import { supabase } from "../../../src/connectors/supabase/supabase.ts";
import type { Postgrest } from "../../services/postgrest/postgrest.ts";
import { collect, id } from "../../support/data/documents.ts";
import { never } from "../../support/signal.ts";
import { testRun } from "../../support/stores/claimed.ts";
import { sharedPostgrest } from "../../support/stores/shared-services.ts";
import { describeContract } from "../contract.ts";

let project: Postgrest;
beforeAll(async () => {
  project = await sharedPostgrest();
  await project.query(leaseSql("public"));
  await project.reload();
  return () => project.stop();
});

const open = () => {
  const { url, secretKey: key } = project;
  return supabase({ url, key, schema: "public", label: "test/contract", role: "target" }, never);
};

/** The column that gives a value back as the suite writes it. */
function columnType(value: unknown): string {
  if (typeof value === "string") return "text";
  if (typeof value === "number") return "int4";
  throw new Error("a value that the suite has not written before");
}

describeContract("supabase", {
  open,
  async provide(collection, { _id, ...fields }) {
    const columns = Object.entries(fields).map(([name, value]) => `, "${name}" ${columnType(value)}`);
    await project.query(
      `create table "${collection}" (id ${columnType(_id)} primary key${columns.join("")})`,
    );
    await project.reload();
  },
  async makeUnique(collection, field) {
    await project.query(`alter table "${collection}" add unique ("${field}")`);
  },
  async makeEveryKind(prefix) {
    await project.query(`
      create table ${prefix} (id int4 primary key);
      create table ${prefix}_keyless (n int4);
      create table ${prefix}_bare ();
      create view ${prefix}_view as select id from ${prefix};
    `);
    await project.reload();
  },
  lacks: {
    "ids of every type": "a key column has one type",
    "numbers of every type": "a column has one type",
    filters: "filters are MongoDB's language",
    "16 MB": "gateways limit the size of a request",
    checksums: "nothing stops an application from writing to a table with checksums",
  },
});

it("does not list or read control tables", async () => {
  await project.query("create table _dualsync_kept (id int4 primary key)");
  await project.reload();
  const store = await open();
  const session = await store.claim(testRun("own", true), never);
  const { collections, notCopied } = await store.list(never);
  for (const name of ["_dualsync", "_dualsync_kept"]) {
    expect([...collections, ...notCopied].map((one) => one.name)).not.toContain(name);
    const message = expect.stringContaining(`no table ${name} `);
    await expect(store.count(name, {}, never)).rejects.toMatchObject({ message });
    await expect(store.lookup.find(name, [id(1)], never)).rejects.toMatchObject({ message });
  }
  await session.release();
  await store.close();
});

it("reads all rows of a table with a composite key in pages of any size, and in ranges of its keys", async () => {
  await project.query(`
    create table lines (a int4, b int4, primary key (a, b));
    insert into lines select n / 3, n % 3 from generate_series(0, 8) n`);
  await project.reload();
  const store = await open();
  const { collections } = await store.list(never);
  const info = collections.find(({ name }) => name === "lines");
  if (info === undefined) throw new Error("not listed");
  const read = async (options: object): Promise<string[]> =>
    (await collect(store.read(info, { ...options, signal: never }))).map((hex) => {
      const { a, b } = deserialize(Buffer.from(hex, "hex"));
      return `${a}${b}`;
    });
  const all = ["00", "01", "02", "10", "11", "12", "20", "21", "22"];
  for (const batchSize of [1, 2, 4]) expect(await read({ batchSize })).toEqual(all);
  const [from, to] = [id({ a: 0, b: 1 }), id({ a: 2, b: 1 })];
  expect(await read({ range: { from, to } })).toEqual(all.slice(1, 7));
  expect(await store.count("lines", { range: { from } }, never)).toBe(8);
  await store.close();
});

it("returns the rows changed at the given time, later, or at an unknown time", async () => {
  await project.query(`
    create table stamped (id int4 primary key, updated_at timestamptz);
    insert into stamped values (1, '2026-03-04Z'), (2, '2026-03-05Z'), (3, '2026-03-06Z'), (4, null)`);
  await project.reload();
  const store = await open();
  const { collections } = await store.list(never);
  const info = collections.find(({ name }) => name === "stamped");
  if (info === undefined) throw new Error("not listed");
  const since = new Date("2026-03-05");
  const found = await collect(store.read(info, { changedSince: since, signal: never }));
  expect(found.map((hex) => deserialize(Buffer.from(hex, "hex"))._id)).toEqual([2, 3, 4]);
  expect(await store.changes.count(info, since, never)).toBe(3);
  await store.close();
});
