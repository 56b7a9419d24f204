import { MongoClient } from "mongodb";
import { beforeAll, beforeEach, expect, it } from "vitest";
import type { CollectionInfo } from "../../../../src/connectors/collection.ts";
import type { ServerOptions } from "../../../../src/connectors/mongodb/connection/server.ts";
import { mongodb } from "../../../../src/connectors/mongodb/mongodb.ts";
import type { MongodbService } from "../../../services/mongodb/mongodb.ts";
import { type ScriptedRelay, startScriptedRelay } from "../../../services/wire/scripted-relay.ts";
import { startWireProxy, type WireProxy } from "../../../services/wire-proxy/wire-proxy.ts";
import { collect, doc, hexOf } from "../../../support/data/documents.ts";
import { never } from "../../../support/signal.ts";
import { sharedMongodb } from "../../../support/stores/shared-services.ts";

/** What cursors leave behind on servers, and which server they ask. */
const ROWS = Array.from({ length: 60 }, (_, _id) => ({ _id }));
const log: CollectionInfo = {
  ...{ name: "log", kind: "sequence", type: "capped", options: new Map(), ordered: true },
  ...{ documents: ROWS.length, bytes: ROWS.length * 14 },
};

let service: MongodbService;
let routers: WireProxy[];
/** With sessions, as of a replica set. */
let member: WireProxy;
let relay: ScriptedRelay;
beforeAll(async () => {
  service = await sharedMongodb();
  const router = { face: "router", target: service.port } as const;
  routers = await Promise.all([startWireProxy(router), startWireProxy(router)]);
  member = await startWireProxy({ face: "replica-set", target: service.port });
  relay = await startScriptedRelay(member.port);
  const client = new MongoClient(service.uri);
  await client.db("rows").createCollection("log", { capped: true, size: 1_000_000 });
  await client.db("rows").collection<{ _id: number }>("log").insertMany(ROWS);
  await client.close();
  return async () => {
    await relay.stop();
    for (const proxy of [...routers, member]) await proxy.stop();
    await service.stop();
  };
});
beforeEach(() => {
  relay.script = () => undefined;
});

function open(uri: string, options: Partial<ServerOptions> = {}): ReturnType<typeof mongodb> {
  return mongodb({ uri, database: "rows", role: "source", label: "test", ...options }, never);
}

it("a cursor behind two routers is continued only on the router that opened it", async () => {
  const store = await open(`mongodb://${routers.map(({ port }) => `127.0.0.1:${port}`).join(",")}/`);
  // Nothing here can be read again from the middle: a wrong router would end it.
  expect(await collect(store.read(log, { batchSize: 5, signal: never }))).toEqual(hexOf(ROWS.map(doc)));
  await store.close();
});

it.each(["own", "driver"] as const)(
  "a read that is stopped early kills its cursor on the server (%s)",
  async (cursors) => {
    const store = await open(relay.uri, { cursors });
    let freed = 0;
    relay.script = (command) => {
      if ("killCursors" in command) freed++;
      return undefined;
    };
    for await (const _ of store.read(log, { batchSize: 5, signal: never })) break;
    expect(freed).toBe(1);
    await store.close();
  },
);

it("successive reads use the same session", async () => {
  const store = await open(relay.uri);
  const sessions = new Set<string>();
  relay.script = (command) => {
    if ("find" in command) sessions.add(command.lsid.id.toString("hex"));
    return undefined;
  };
  for (let n = 0; n < 5; n++) await collect(store.read(log, { batchSize: 5, signal: never }));
  expect(sessions.size).toBe(1);
  await store.close();
});
