import { beforeAll } from "vitest";
import { mongodb } from "../../../src/connectors/mongodb/mongodb.ts";
import type { MongodbService } from "../../services/mongodb/mongodb.ts";
import { makeEveryKind } from "../../support/data/every-kind.ts";
import { never } from "../../support/signal.ts";
import { sharedMongodb } from "../../support/stores/shared-services.ts";
import { describeContract } from "../contract.ts";

let server: MongodbService;
beforeAll(async () => {
  server = await sharedMongodb();
  return () => server.stop();
});

describeContract("mongodb", {
  open: () =>
    mongodb({ uri: server.uri, database: "contract", role: "target", label: "test/contract" }, never),
  makeEveryKind: (prefix) => makeEveryKind(server.uri, "contract", prefix),
});
