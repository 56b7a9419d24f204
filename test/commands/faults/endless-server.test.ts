import { type Document, Long } from "bson";
import { beforeAll, describe, it } from "vitest";
import type { MongodbService } from "../../services/mongodb/mongodb.ts";
import type { Answer } from "../../services/wire/scripted-server.ts";
import type { Request } from "../../services/wire/wire-message.ts";
import { cursor, entry, expectCleanEnd, hostedRuns, type Outcome, on } from "../../support/hostile.ts";
import { sharedMongodb } from "../../support/stores/shared-services.ts";

const hosted = hostedRuns();
let good: MongodbService;
let runs = 0;
beforeAll(async () => {
  good = await sharedMongodb();
  return () => good.stop();
});

/** The other side is a real server, with a database of its own for each run: one that was killed leaves its lease. */
function run(
  role: "source" | "target",
  answer: (request: Request) => Answer,
  ...flags: readonly string[]
): Promise<Outcome> {
  const other = `mongodb://127.0.0.1:${good.port}/good${++runs}?directConnection=true`;
  return hosted.against(other, role, answer, ...flags);
}

describe("endless or malformed listings", () => {
  it.each<[string, unknown]>([
    ["a name of 10 MB", "n".repeat(10_000_000)],
    ["no name", undefined],
    ["a name that is a document", { toString: 1 }],
  ])("rejects a listing with %s", async (_what, name) => {
    expectCleanEnd(await run("source", on(/^listCollections$/, cursor([entry(name)]))), 4);
  });

  it("gives up on a listing that never ends", async () => {
    const page = Array.from({ length: 1_000 }, (_, at) => entry(`c${at}`));
    const answer = on(/^(listCollections|getMore)$/, ({ name }) =>
      cursor(page, Long.fromNumber(7), name === "getMore" ? "nextBatch" : "firstBatch"),
    );
    expectCleanEnd(await run("source", answer), 4);
  });

  it("gives up on an empty listing that never ends", async () => {
    const answer = on(/^(listCollections|getMore)$/, ({ name }) =>
      cursor([], Long.fromNumber(7), name === "getMore" ? "nextBatch" : "firstBatch"),
    );
    expectCleanEnd(await run("source", answer), 4);
  });
});

describe("endless documents", () => {
  /** A source with one collection whose documents come like this. */
  const serving =
    (answer: (request: Request) => Answer) =>
    (request: Request): Answer => {
      if (request.name === "listCollections")
        return cursor([{ name: "orders", type: "collection", options: {} }]);
      if (request.name === "collStats") return { ok: 1, count: 1_000, size: 100_000 };
      if (request.name === "find" && "filter" in request.command && "limit" in request.command)
        return undefined;
      return /^(find|getMore)$/.test(request.name) ? answer(request) : undefined;
    };
  const page = (batch: readonly Document[], { name }: Request): Document =>
    cursor(batch, Long.fromNumber(7), name === "getMore" ? "nextBatch" : "firstBatch");

  it("gives up on documents that come again and again", async () => {
    const same = Array.from({ length: 100 }, (_, at) => ({ _id: at }));
    expectCleanEnd(
      await run(
        "source",
        serving((request) => page(same, request)),
      ),
      4,
    );
  });

  it("gives up on documents that never come", async () => {
    expectCleanEnd(
      await run(
        "source",
        serving((request) => page([], request)),
      ),
      4,
    );
  });
});
