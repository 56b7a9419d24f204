import { beforeAll, describe, expect, it } from "vitest";
import type { CollectionInfo } from "../../../../src/connectors/collection.ts";
import { mongodb } from "../../../../src/connectors/mongodb/mongodb.ts";
import type { MongodbService } from "../../../services/mongodb/mongodb.ts";
import { startThrottledRelay, type ThrottledRelay } from "../../../services/wire/throttled-relay.ts";
import { batchOf, collect, hexOf } from "../../../support/data/documents.ts";
import { never } from "../../../support/signal.ts";
import { sessionOf } from "../../../support/stores/claimed.ts";
import { sharedMongodb } from "../../../support/stores/shared-services.ts";

const RATE = 300_000;
/** Far too short for a batch of 4 MB, or for all of the documents, on such a line. */
const DEADLINE = 1_300;
const documents = batchOf(
  ...Array.from({ length: 1_000 }, (_, _id) => ({ _id, text: `${_id} `.repeat(200) })),
);
const info: CollectionInfo = {
  name: "thin",
  kind: "collection",
  type: "collection",
  options: new Map(),
  ordered: true,
  documents: documents.length,
  bytes: documents.bytes.length,
};

let server: MongodbService;
let line: ThrottledRelay;
beforeAll(async () => {
  server = await sharedMongodb();
  line = await startThrottledRelay(server.port, RATE);
  return async () => {
    await line.stop();
    await server.stop();
  };
});

describe("slow connections", () => {
  it("writes and reads more over a slow connection than fits into one deadline", async () => {
    const options = { database: "thin", role: "target", label: "test", deadline: DEADLINE } as const;
    const far = await mongodb({ uri: line.uri, ...options }, never);
    const session = await sessionOf(far);
    expect(documents.bytes.length).toBeGreaterThan((2 * RATE * DEADLINE) / 1e3);
    expect(await session.write(info.name, documents, "insert", never)).toEqual({
      written: documents.length,
      unchanged: 0,
      rejected: [],
    });
    expect(await collect(far.read(info, { signal: never }))).toEqual(hexOf(documents.docs()));
    await far.close();
  });
});
