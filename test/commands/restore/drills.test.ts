import { MongoClient } from "mongodb";
import { beforeAll, describe, expect, it } from "vitest";
import { type MongodbService, startMongodb, withDatabase } from "../../services/mongodb/mongodb.ts";
import { fillLocalAtlas } from "../../shops/local-atlas.ts";
import { fillOrders } from "../../shops/orders.ts";
import { dualsync } from "../../support/cli.ts";
import { folder as newFolder } from "../../support/compared.ts";
import { snapshot } from "../../support/data/snapshot.ts";

/** Whole databases that were lost come back from their copies, and the night after it is a night as any other. */
let servers: readonly [MongodbService, MongodbService];
let clients: readonly [MongoClient, MongoClient];

beforeAll(async () => {
  servers = await Promise.all([startMongodb(), startMongodb()]);
  clients = [new MongoClient(servers[0].uri), new MongoClient(servers[1].uri)];
  return async () => {
    await Promise.all(clients.map((client) => client.close()));
    await Promise.all(servers.map((server) => server.stop()));
  };
});

async function runs(env: Record<string, string>, cwd: string, args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await dualsync(args, { env, cwd });
  expect(code, `${args.join(" ")}\n${stdout}${stderr}`).toBe(0);
  return stdout;
}

describe("a shop with one MongoDB and its copy beside it", () => {
  it("is dropped, restored with one command, and copied again at night", async () => {
    const [client] = clients;
    await fillOrders(client, "ordersDB", { orders: 400 });
    const env = { MONGODB_URI: withDatabase(servers[0].uri, "ordersDB") };
    const cwd = newFolder();
    await runs(env, cwd, ["duplicate"]);
    const [before, copied] = [await snapshot(client, "ordersDB"), await snapshot(client, "ordersDB_backup")];
    await client.db("ordersDB").dropDatabase();
    expect(await runs(env, cwd, ["restore", "--apply"])).toMatch(/^Restored: /m);
    expect(await snapshot(client, "ordersDB")).toEqual(before);
    const orders = client.db("ordersDB").collection("orders");
    expect(await orders.countDocuments()).toBe(400);
    await runs(env, cwd, ["duplicate", "--delete", "--yes"]);
    await runs(env, cwd, ["diff"]);
    expect(await snapshot(client, "ordersDB_backup")).toEqual(copied);
  });
});

describe("a shop with a local MongoDB and its copy on Atlas", () => {
  it("lost its disk, is restored to a new server, and the nightly pair goes on", async () => {
    const [local, atlas] = clients;
    await fillLocalAtlas(local, "shop");
    const env = {
      MONGODB_LOCAL_URI: withDatabase(servers[0].uri, "shop"),
      MONGODB_ATLAS_URI: withDatabase(servers[1].uri, "shop"),
    };
    const cwd = newFolder();
    await runs(env, cwd, ["duplicate"]);
    const before = await snapshot(atlas, "shop");
    await local.db("shop").dropDatabase();
    await runs(env, newFolder(), ["restore", "--apply", "--json"]);
    expect(await snapshot(local, "shop")).toEqual(before);
    await runs(env, cwd, ["duplicate", "--delete", "--yes"]);
    await runs(env, cwd, ["diff"]);
    expect(await snapshot(atlas, "shop")).toEqual(before);
  });
});
