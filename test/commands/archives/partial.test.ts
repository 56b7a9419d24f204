import type { ChildProcess } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { CliResult } from "../../support/cli.ts";
import { folder as newFolder } from "../../support/compared.ts";
import { mongodbStore } from "../../support/stores/mongodb-store.ts";
import { projectPair } from "../../support/stores/project-pair.ts";

/** Archives that do not hold all that their source had: that is known of each, and told to whoever restores. */
const TO = ["--to", "file:./archive"];
const FROM = ["--from", "file:./archive"];

async function ends(code: number, result: Promise<CliResult>): Promise<CliResult> {
  const done = await result;
  expect(done.code, done.stdout + done.stderr).toBe(code);
  return done;
}

const archives = (cwd: string): string[] => readdirSync(join(cwd, "archive"));

describe("an archive of MongoDB", () => {
  const server = mongodbStore();
  const put = (name: string) =>
    server.client
      .db(server.database)
      .collection<{ _id: number }>(name)
      .insertMany([{ _id: 1 }, { _id: 2 }]);

  it("of some collections says what it lacks, and does not count for --keep as one of all", async () => {
    await put("orders");
    await put("users");
    const cwd = newFolder();
    const run = async (code: number, ...args: string[]) => await ends(code, server.run(args, cwd));
    await run(0, "duplicate", ...TO);
    const [whole = ""] = archives(cwd);
    for (let times = 0; times < 3; times++)
      await run(0, "duplicate", ...TO, "--include", "orders", "--keep", "2");
    expect(archives(cwd)).toHaveLength(3);
    expect(archives(cwd)).toContain(whole);
    const { stdout } = await run(0, "restore", ...FROM, "--dry-run");
    expect(stdout).toMatch(/users: the archive lacks it: left out by --include or --exclude/);
    expect(stdout.match(/verified, not of everything/g)).toHaveLength(2);
  });

  it("says what the source has no more since the last one", async () => {
    await put("orders");
    await put("users");
    const cwd = newFolder();
    await ends(0, server.run(["duplicate", ...TO], cwd));
    await server.client.db(server.database).dropCollection("users");
    const { stdout } = await ends(0, server.run(["duplicate", ...TO], cwd));
    expect(stdout).toMatch(/In an earlier copy, and no longer in the source: users\./);
    expect((await ends(0, server.run(["duplicate", ...TO], cwd))).stdout).not.toContain("no longer");
    await server.client.db(server.database).collection("orders").deleteMany({});
    const emptied = await ends(0, server.run(["duplicate", ...TO, "--keep", "9"], cwd));
    expect(emptied.stdout).toMatch(/In an earlier copy, and empty now: orders\./);
    expect(emptied.stdout).toMatch(/9 newer ones hold the same collections \(--keep 9\)/);
  });

  it("whose writing is interrupted is not there, and is not resumed", async () => {
    await put("orders");
    const cwd = newFolder();
    const interrupt = (child: ChildProcess): void => {
      const look = setInterval(() => {
        const isBegun =
          existsSync(join(cwd, "archive")) && archives(cwd).some((name) => name.endsWith(".partial"));
        if (isBegun) child.kill("SIGINT");
        if (isBegun || child.exitCode !== null) clearInterval(look);
      }, 5);
    };
    const slowly = ["--rate", "1"];
    const { code, stderr } = await server.run(["duplicate", ...TO, ...slowly], cwd, { onStart: interrupt });
    expect(code, stderr).toBe(130);
    expect(stderr).toMatch(/Nothing of this run was kept/);
    expect(stderr).not.toMatch(/resume/);
    expect(archives(cwd)).toEqual([]);
  });
});

describe("an archive of Supabase", () => {
  const pair = projectPair();
  const run = async (cwd: string, code: number, ...args: string[]) => await ends(code, pair.run(args, cwd));
  const fill = async (statements: string): Promise<void> => {
    await pair.project.query(statements);
    await pair.project.reload();
  };

  it("of a table of which rows were passed over says so, and removes nothing in a restore", async () => {
    await fill(`
      create table customers (id int4 primary key, name text);
      create table orders (id int4 primary key, what text);
      create table orders_2023 (primary key (id)) inherits (orders);
      insert into customers values (1, 'Ada');
      insert into orders values (1, 'lamp'), (2, 'shade'), (4, 'bulb');
      insert into orders_2023 values (2, 'the other shade'), (3, 'cord');
      grant all on customers, orders, orders_2023 to service_role;`);
    pair.project.settings.maxRows = 2;
    const cwd = newFolder();
    const made = await run(cwd, 3, "duplicate", ...TO);
    pair.project.settings.maxRows = undefined;
    expect(made.stdout).toMatch(/collection orders: the source returned 4 documents but counts 5/);
    // The same table, but without what made its rows come in pieces.
    await fill("drop table orders_2023; insert into orders values (3, 'cord'), (5, 'dimmer')");
    const lacking = /the archive does not hold all of it: the source returned 4 documents but counts 5/;
    const look = ["restore", ...FROM, "--include", "customers", "--include", "orders", "--mode"];
    const shown = await run(cwd, 3, ...look, "overwrite", "--dry-run");
    expect(shown.stdout).toMatch(lacking);
    expect(shown.stdout).toMatch(/^ {2}rest of collection orders: /m);
    expect(shown.stdout).toMatch(/\(not verified, not of everything, taken here\)/);
    const exact = await run(cwd, 3, ...look, "exact", "--dry-run");
    expect(exact.stdout).toMatch(/^ {2}orders: the archive does not hold all of it/m);
    expect(exact.stdout).toMatch(/--mode exact would remove the rest, --mode overwrite does not/);
    expect(exact.stdout).toMatch(/^customers .*left as it is/m);
  });

  it("names a table that is hidden since the last one until that is accepted, and the older ones stay", async () => {
    await fill(`
      create table customers (id int4 primary key, name text);
      create table orders (id int4 primary key, what text);
      insert into customers values (1, 'Ada');
      insert into orders values (1, 'lamp');
      grant all on customers, orders to service_role;`);
    const cwd = newFolder();
    await run(cwd, 0, "duplicate", ...TO);
    const [first = ""] = archives(cwd);
    await run(cwd, 0, "duplicate", ...TO, "--include", "customers");
    await fill("drop table orders");
    // An archive of something else is none of them all, whether it was made before that or after.
    await run(cwd, 0, "duplicate", ...TO, "--include", "customers");
    for (let times = 0; times < 2; times++) {
      const { stdout } = await run(cwd, 3, "duplicate", ...TO, "--keep", "1");
      expect(stdout).toMatch(/collection orders: its table was copied before/);
    }
    expect(archives(cwd)).toContain(first);
    await run(cwd, 0, "duplicate", ...TO, "--keep", "1", "--accept", "collection orders");
    await run(cwd, 0, "duplicate", ...TO, "--keep", "1");
    expect(archives(cwd)).not.toContain(first);
  });

  it("names a table that shows no rows any more until that is accepted, and the older ones stay", async () => {
    await fill(`
      create table orders (id int4 primary key);
      insert into orders values (1);
      grant all on orders to service_role;`);
    const cwd = newFolder();
    await run(cwd, 0, "duplicate", ...TO);
    const [first = ""] = archives(cwd);
    await pair.project.query("delete from orders");
    for (let times = 0; times < 3; times++) {
      const { stdout } = await run(cwd, 3, "duplicate", ...TO, "--keep", "1");
      expect(stdout).toMatch(/collection orders: an earlier copy holds documents, and it gives no rows/);
    }
    expect(archives(cwd)).toContain(first);
    await run(cwd, 0, "duplicate", ...TO, "--keep", "1", "--accept", "collection orders");
    await run(cwd, 0, "duplicate", ...TO, "--keep", "1");
  });

  it("counts for --keep by the names that tables have there", async () => {
    await fill(`
      create table orders (id int4 primary key);
      insert into orders values (1);
      grant all on orders to service_role;`);
    const cwd = newFolder();
    const renaming = ["duplicate", ...TO, "--rename", "orders=sales", "--keep", "1"];
    await run(cwd, 0, ...renaming);
    const [first = ""] = archives(cwd);
    await fill("create table old (primary key (id)) inherits (orders); insert into old values (1)");
    const { stdout } = await run(cwd, 3, ...renaming);
    expect(stdout).toMatch(/collection orders: .*returns rows of orders twice/);
    expect(archives(cwd)).toContain(first);
    await fill("drop table old");
    await run(cwd, 0, ...renaming, "--accept", "collection old");
    expect(archives(cwd)).not.toContain(first);
  });
});
