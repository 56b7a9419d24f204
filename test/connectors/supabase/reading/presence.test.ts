import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { CollectionInfo } from "../../../../src/connectors/collection.ts";
import { installSql } from "../../../../src/connectors/supabase/sql/sql.ts";
import { supabase } from "../../../../src/connectors/supabase/supabase.ts";
import type { Postgrest } from "../../../services/postgrest/postgrest.ts";
import { never } from "../../../support/signal.ts";
import { EMPTY_PROJECT } from "../../../support/stores/project-pair.ts";
import { sharedPostgrest } from "../../../support/stores/shared-services.ts";

let project: Postgrest;
beforeAll(async () => {
  project = await sharedPostgrest();
  return () => project.stop();
});
beforeEach(async () => {
  await project.query(`${EMPTY_PROJECT}
    create table t (id int4 primary key, v text); create table other (id int4 primary key, v text);
    insert into t values (1, 'a'); insert into other values (1, 'a');`);
  await project.reload();
});

async function listed() {
  const { url, serviceKey: key } = project;
  const store = await supabase({ url, key, schema: "public", label: "test", role: "source" }, never);
  const { collections } = await store.list(never);
  const infoOf = (name: string): CollectionInfo => {
    const info = collections.find((one) => one.name === name);
    if (info === undefined) throw new Error("not listed");
    return info;
  };
  return { store, t: infoOf("t"), other: infoOf("other") };
}

const descriptions = (): number => project.requests.filter(({ path }) => path === "/").length;

const SAME = "create table t (id int4 primary key, v text)";

/** What happens to a table while it is read, and whether the API has noticed. */
const GONE: readonly (readonly [string, string])[] = [
  ["dropped", "drop table t"],
  ["renamed", "alter table t rename to u"],
  [
    "moved to another schema",
    "create schema if not exists aside; drop table if exists aside.t; alter table t set schema aside",
  ],
  ["replaced by a table of other columns", "drop table t; create table t (id int4 primary key, w text)"],
  ["robbed of a column", "alter table t drop column v"],
];

describe.each([
  ["without the SQL functions", ""],
  ["with the SQL functions", installSql()],
])("presence %s", (_, functions) => {
  beforeEach(async () => {
    await project.query(functions);
    await project.reload();
  });

  it.each(GONE)(
    "a table that was %s no longer exists, whether the API has noticed or not",
    async (_, sql) => {
      for (const notices of [false, true]) {
        const { store, t, other } = await listed();
        await project.query(sql);
        if (notices) await project.reload();
        const before = descriptions();
        expect(await store.presence.stillExists(t, never)).toBe(false);
        expect(await store.presence.stillExists(other, never)).toBe(true);
        expect(descriptions()).toBe(before);
        // It is not hidden: it is not there.
        expect(await store.hiding.reason("t", never)).toBeUndefined();
        await project.query(`drop table if exists t, u; ${SAME}`);
        await project.reload();
      }
    },
  );

  it("a table that is no longer granted is hidden, and not gone", async () => {
    for (const right of ["all", "select", "select (v)"]) {
      const { store, t, other } = await listed();
      if (right === "select (v)")
        await project.query("revoke select on t from service_role; grant select (id) on t to service_role");
      else await project.query(`revoke ${right} on t from service_role`);
      expect(await store.presence.stillExists(t, never)).toBe(false);
      expect(await store.presence.stillExists(other, never)).toBe(true);
      expect(await store.hiding.reason("t", never)).toMatch(/may not read it/);
      await project.query("grant all on t to service_role");
    }
  });

  it("a table with another type, another key or one more column is replaced, as the description shows in the end", async () => {
    for (const sql of [
      "alter table t alter column v type varchar",
      "alter table t drop constraint t_pkey, add primary key (id, v)",
      "alter table t add column w int4",
    ]) {
      const { store, t, other } = await listed();
      await project.query(sql);
      await project.reload();
      expect(await store.presence.stillExists(t, never)).toBe(true);
      expect(await store.presence.replaced?.([other, t], never)).toEqual([t]);
      expect(await store.presence.stillExists(t, never)).toBe(false);
      await project.query(`drop table t; ${SAME}`);
      await project.reload();
    }
  });

  it("a table that a view has taken the place of is replaced", async () => {
    const { store, t, other } = await listed();
    await project.query("alter table t rename to u; create view t as select * from u");
    await project.reload();
    expect(await store.presence.replaced?.([other, t], never)).toEqual([t]);
    expect(await store.presence.stillExists(t, never)).toBe(false);
  });

  it("a table that was dropped after it was read is not replaced", async () => {
    const { store, t, other } = await listed();
    await project.query("drop table t");
    await project.reload();
    expect(await store.presence.replaced?.([other, t], never)).toEqual([]);
  });
});

it("a table whose columns do not fit into one request is looked for in the description", async () => {
  const { store, t } = await listed();
  const answer = { status: 414, headers: { "Content-Type": "text/html" }, body: "<html>" };
  const fault = project.fail({ on: ({ target }) => /\/t\?.*limit=0/.test(target), answer });
  const before = descriptions();
  expect(await store.presence.stillExists(t, never)).toBe(true);
  expect([fault.hits, descriptions() - before]).toEqual([1, 1]);
  await project.query("drop table t");
  await project.reload();
  expect(await store.presence.stillExists(t, never)).toBe(false);
  fault.stop();
});

it("a table replaced by one of the same shape no longer exists, where the project has the SQL functions", async () => {
  await project.query(installSql());
  await project.reload();
  const { store, t } = await listed();
  await project.query(`drop table t; ${SAME}`);
  const before = descriptions();
  expect(await store.presence.stillExists(t, never)).toBe(false);
  expect(descriptions()).toBe(before);
});
