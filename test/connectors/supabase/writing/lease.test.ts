import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { installSql } from "../../../../src/connectors/supabase/sql/sql.ts";
import { supabase } from "../../../../src/connectors/supabase/supabase.ts";
import type { SupabaseSession } from "../../../../src/connectors/supabase/writing/target.ts";
import { batchOf, id } from "../../../support/data/documents.ts";
import { never } from "../../../support/signal.ts";
import { testRun } from "../../../support/stores/claimed.ts";
import { collectionOf, supabaseTarget } from "../../../support/stores/supabase-target.ts";

const target = supabaseTarget();
const other = () => {
  const { url, secretKey: key } = target.project;
  return supabase({ url, key, schema: "public", label: "test", role: "target" }, never);
};

beforeAll(() => target.tables("create table orders (id serial primary key, n int4)"));
afterEach(() => void vi.useRealTimers());

const calls: Readonly<Record<string, (session: SupabaseSession) => Promise<unknown>>> = {
  prepare: (session) => session.prepare(collectionOf("orders"), never),
  finish: (session) => session.finish(collectionOf("orders"), [], never),
  write: (session) => session.write("orders", batchOf({ _id: 2 }), "insert", never),
  writeTogether: (session) =>
    session.relatedWrites.writeTogether(new Map([["orders", batchOf({ _id: 2 })]]), never),
  remove: (session) => session.remove("orders", [id(1)], never),
};

it.each(Object.entries(calls))("%s checks the lease before it changes anything", async (_, call) => {
  await target.session.release();
  vi.useFakeTimers({ toFake: ["performance"] });
  const [store, next] = await Promise.all([other(), other()]);
  const session = await store.claim(testRun("first"), never);
  await session.write("orders", batchOf({ _id: 1, n: 1 }), "insert", never);
  const taken = await next.claim(testRun("second", true), never);
  // Longer than a run believes in its lease without asking.
  vi.advanceTimersByTime(31_000);
  await expect(call(session)).rejects.toMatchObject({ exit: "locked" });
  expect(session.lost.aborted).toBe(true);
  expect(await target.rows("select * from orders")).toEqual(["(1,1)"]);
  await taken.release();
});

describe("lease of a Supabase target", () => {
  it("refuses a project without dualsync's SQL, which may be run more than once", async () => {
    await target.project.query("drop table _dualsync; drop function dualsync_claim");
    await target.project.reload();
    const store = await other();
    const refusal = await store.claim(testRun("late", true), never).catch((error: unknown) => error);
    expect(refusal).toMatchObject({ exit: "refused", hint: expect.stringContaining("Run dualsync sql") });
    expect(await store.history.seesNonce("any", never)).toBe(false);
    expect((await store.history.read(never)).collections.size).toBe(0);
    await target.project.query(installSql());
    await target.project.query(installSql());
    await target.project.reload();
    const lease = await store.claim(testRun("late", true), never);
    await lease.release();
    await store.close();
  });

  it("gives the lease to only one of several concurrent runs", async () => {
    await target.session.release();
    const stores = await Promise.all(Array.from({ length: 6 }, other));
    const claims = await Promise.allSettled(stores.map((store, n) => store.claim(testRun(`r${n}`), never)));
    const taken = claims.filter((claim) => claim.status === "fulfilled");
    expect(taken).toHaveLength(1);
    for (const { value } of taken) await value.release();
  });

  it("expires by the database's clock, and cannot be renewed or recorded under once another run has it", async () => {
    const [first, second] = [await other(), await other()];
    const lease = await first.claim(testRun("first", true), never);
    await expect(second.claim(testRun("second"), never)).rejects.toMatchObject({ exit: "locked" });
    await target.project.query("update _dualsync set until = now() - interval '1 second' where id = 'lease'");
    const next = await second.claim(testRun("second"), never);
    const lastRun = { command: "c", from: "f", run: "r", token: "t", complete: true, verified: true };
    const whole = { ...lastRun, since: new Date(0), documents: new Map() };
    await expect(lease.record(whole)).rejects.toMatchObject({ exit: "locked" });
    await lease.release();
    expect(await first.history.seesNonce(next.nonce, never)).toBe(true);
    await next.release();
  });

  it("protects its control table from other roles and from changes outside its functions", async () => {
    const as = async (role: string, sql: string) => {
      await target.project
        .query(`begin; set local role ${role}; ${sql}; commit`)
        .catch(async (error: unknown) => {
          await target.project.query("rollback");
          throw error;
        });
    };
    await expect(as("service_role", "delete from _dualsync")).rejects.toThrow(/permission denied/);
    for (const role of ["anon", "authenticated"]) {
      await expect(as(role, "select * from _dualsync")).rejects.toThrow(/permission denied/);
      await expect(as(role, "select dualsync_renew('x')")).rejects.toThrow(/permission denied/);
    }
    await as("service_role", "select dualsync_renew('x')");
  });
});
