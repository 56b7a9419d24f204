import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { fillOrders } from "../../shops/orders.ts";
import { folder as newFolder } from "../../support/compared.ts";
import { snapshot } from "../../support/data/snapshot.ts";
import { mongodbStore } from "../../support/stores/mongodb-store.ts";

/** Archives that go from dualsync to the MongoDB Database Tools and back, where these are on the PATH. */
const TOOLS = ["mongodump", "mongorestore"].every((name) => spawnSync(name, ["--version"]).status === 0);
if (!TOOLS)
  console.log("NOT RUN: archives exchanged with mongodump and mongorestore, which are not on the PATH");

function program(name: string, args: readonly string[]): void {
  const { status, stderr } = spawnSync(name, args, { encoding: "utf8" });
  expect(status, stderr).toBe(0);
}

describe.runIf(TOOLS)("the MongoDB Database Tools", () => {
  const server = mongodbStore();
  it.each([[[]], [["--gzip"]]])("mongorestore gives back what duplicate has archived (%j)", async (flags) => {
    await fillOrders(server.client, server.database, { orders: 400 });
    const before = await snapshot(server.client, server.database);
    const cwd = newFolder();
    expect((await server.run(["duplicate", "--to", "file:./archive", ...flags], cwd)).code).toBe(0);
    await server.client.db(server.database).dropDatabase();
    const [run = ""] = readdirSync(join(cwd, "archive"));
    program("mongorestore", [`--uri=${server.uri}`, ...flags, join(cwd, "archive", run)]);
    expect(await snapshot(server.client, server.database)).toEqual(before);
  });

  it.each([
    ["a folder", (cwd: string) => `--out=${join(cwd, "dump")}`],
    ["a file", (cwd: string) => `--archive=${join(cwd, "dump")}`],
  ])("restore gives back what mongodump has written as %s", async (_, place) => {
    await fillOrders(server.client, server.database, { orders: 400 });
    const before = await snapshot(server.client, server.database);
    const cwd = newFolder();
    program("mongodump", [`--uri=${server.uri}`, `--db=${server.database}`, place(cwd)]);
    await server.client.db(server.database).dropDatabase();
    expect((await server.run(["restore", "--from", "file:./dump", "--apply"], cwd)).code).toBe(0);
    expect(await snapshot(server.client, server.database)).toEqual(before);
  });
});
