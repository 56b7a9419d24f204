import { MongoClient, type MongoClientOptions } from "mongodb";
import { afterEach, beforeAll } from "vitest";
import { type MongodbService, startMongodb } from "../mongodb/mongodb.ts";
import { RawClient } from "./raw-client.ts";
import { startWireProxy, type WireProxy, type WireProxyOptions } from "./wire-proxy.ts";

/** One engine for the tests of a file, and whatever a test starts before it; that ends with the test. */
export interface ProxyBench {
  /** Past every proxy. */
  readonly direct: MongoClient;
  start(options?: Omit<WireProxyOptions, "target">): Promise<WireProxy>;
  driver(uri: string, options?: MongoClientOptions): MongoClient;
  raw(proxy: WireProxy): Promise<RawClient>;
}

/** Call at the top of a test file. Each test finds an empty database "shop". */
export function proxyBench(): ProxyBench {
  let engine: MongodbService;
  let direct: MongoClient;
  const ends: (() => unknown)[] = [];
  beforeAll(async () => {
    engine = await startMongodb();
    direct = new MongoClient(engine.uri);
    return async () => {
      await direct.close();
      await engine.stop();
    };
  });
  afterEach(async () => {
    for (const end of ends.splice(0).reverse()) await end();
    await direct.db("shop").dropDatabase();
  });
  return {
    get direct() {
      return direct;
    },
    async start(options) {
      const proxy = await startWireProxy({ ...options, target: engine.port });
      ends.push(() => proxy.stop());
      return proxy;
    },
    driver(uri, options) {
      const client = new MongoClient(uri, options);
      ends.push(() => client.close());
      return client;
    },
    async raw({ port }) {
      const client = await RawClient.connect(port);
      ends.push(() => client.close());
      return client;
    },
  };
}
