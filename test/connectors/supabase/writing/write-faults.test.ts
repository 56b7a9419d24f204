import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { WriteMode } from "../../../../src/connectors/contract.ts";
import type { WriteOutcome } from "../../../../src/connectors/write-outcome.ts";
import type { Batch } from "../../../../src/model/document.ts";
import { batchOf, collect, id } from "../../../support/data/documents.ts";
import { never } from "../../../support/signal.ts";
import { collectionOf, supabaseTarget } from "../../../support/stores/supabase-target.ts";

const target = supabaseTarget();
const uuid = (n: number): string => `00000000-0000-4000-8000-${String(n).padStart(12, "0")}`;

const write = (table: string, batch: Batch, mode: WriteMode = "insert"): Promise<WriteOutcome> =>
  target.session.write(table, batch, mode, never);

beforeAll(() =>
  target.tables(`
    create table customers (id uuid primary key, name text, visits int8 not null default 7);
    create table pairs (b text, a int4, v text, primary key (a, b));
  `),
);
beforeEach(() => target.project.query("truncate customers, pairs"));

describe("faults of a project during writes", () => {
  beforeAll(() => target.session.prepare(collectionOf("pairs"), never));

  it("sends less at once when a write takes too long, and loses nothing", async () => {
    const { project } = target;
    const late = project.fail({
      on: "POST /pairs",
      at: [1, 2, 4],
      answer: { status: 500, headers: {}, body: JSON.stringify({ code: "57014", message: "canceling" }) },
    });
    const rows = Array.from({ length: 300 }, (_, n) => ({ _id: { b: "b", a: n }, v: "v" }));
    expect(await write("pairs", batchOf(...rows))).toMatchObject({ written: 300, rejected: [] });
    expect(late.hits).toBe(3);
    late.stop();
    expect(await target.store.count("pairs", {}, never)).toBe(300);
  });

  it("fails when a write of a single row takes too long", async () => {
    const late = target.project.fail({
      on: "POST /pairs",
      answer: { status: 500, headers: {}, body: JSON.stringify({ code: "57014", message: "canceling" }) },
    });
    await expect(write("pairs", batchOf({ _id: { b: "b", a: 1 } }))).rejects.toMatchObject({
      exit: "target",
    });
    late.stop();
  });

  it("repeats a write or deletion whose reply was lost, without harm", async () => {
    const batch = batchOf({ _id: { b: "b", a: 1 }, v: "v" }, { _id: { b: "b", a: 2 }, v: "v" });
    for (const [mode, method] of [
      ["insert", "POST"],
      ["replace", "POST"],
      ["create", "POST"],
    ] as const) {
      const lost = target.project.fail({ on: `${method} /pairs`, at: 1, reset: "lost-reply" });
      const { written, unchanged, rejected } = await write("pairs", batch, mode);
      expect({ sum: written + unchanged, rejected }).toEqual({ sum: 2, rejected: [] });
      expect(lost.hits).toBe(mode === "create" ? 0 : 1);
      lost.stop();
    }
    expect(await target.store.count("pairs", {}, never)).toBe(2);
    const lost = target.project.fail({ on: "DELETE /pairs", at: 1, reset: "lost-reply" });
    expect(await target.session.remove("pairs", [id({ b: "b", a: 1 }), id({ b: "b", a: 7 })], never)).toBe(1);
    expect(lost.hits).toBe(1);
    lost.stop();
    expect(await target.rows("select a from pairs")).toEqual(["(2)"]);
  });

  it("never sends a deletion without a condition", async () => {
    await write("pairs", batchOf({ _id: { b: "b", a: 1 }, v: "v" }));
    const before = target.project.requests.length;
    expect(await target.session.remove("pairs", [id("not a key"), id(5)], never)).toBe(0);
    expect(await target.session.remove("pairs", [], never)).toBe(0);
    expect(target.project.requests.slice(before)).toEqual([]);
  });

  it("names a missing grant before anything is written", async () => {
    await target.project.query("revoke insert on customers from service_role");
    await target.tables("select 1");
    await expect(target.session.prepare(collectionOf("customers"), never)).rejects.toMatchObject({
      exit: "denied",
      hint: expect.stringMatching(/grant .*insert.* on table public\.customers to service_role/),
    });
    await target.project.query("grant insert on customers to service_role");
  });
});

it("writes and reads a row of several megabytes", async () => {
  await target.tables("select 1");
  const name = "é".repeat(3_000_000);
  expect(
    await write("customers", batchOf({ _id: uuid(1), visits: 1, name }, { _id: uuid(2), visits: 1 })),
  ).toMatchObject({
    written: 2,
  });
  expect(await collect(target.store.read(collectionOf("customers"), { signal: never }))).toHaveLength(2);
});
