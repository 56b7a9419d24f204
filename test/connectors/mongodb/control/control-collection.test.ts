import { beforeAll, expect, it } from "vitest";
import { type MongodbStore, mongodb } from "../../../../src/connectors/mongodb/mongodb.ts";
import { isHello, type ScriptedServer, startScripted } from "../../../services/wire/scripted-server.ts";
import { never } from "../../../support/signal.ts";

let server: ScriptedServer;
let store: MongodbStore;
beforeAll(async () => {
  server = await startScripted({ answer: (request) => (isHello(request) ? undefined : { ok: 1 }) });
  store = await mongodb({ uri: server.uri, database: "d", role: "source", label: "test", retries: 0 }, never);
  return async () => {
    await store.close();
    await server.stop();
  };
});

it("a reply without documents does not prove that two stores are different", async () => {
  await expect(store.history.seesNonce("n", never)).rejects.toMatchObject({ exit: "source" });
});

it("a reply without documents does not count as an empty history", async () => {
  await expect(store.history.read(never)).rejects.toMatchObject({ exit: "source" });
});
