import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { beginRun } from "../../../src/connectors/archive/run/run-sink.ts";
import type { CollectionInfo } from "../../../src/connectors/collection.ts";
import { withMembers } from "../../../src/connectors/wrappers/with-members.ts";
import { copyOnce } from "../../../src/core/copy/copy-once.ts";
import { Losses } from "../../../src/core/progress/losses.ts";
import { DualsyncError } from "../../../src/model/errors.ts";
import type { Reporter } from "../../../src/model/reporter.ts";
import { Redactor } from "../../../src/redact/redact.ts";
import { silentMeter } from "../../../src/reporting/context.ts";
import { options } from "../../connectors/archive/run/runs.ts";
import { folder as newFolder } from "../../support/compared.ts";
import { doc } from "../../support/data/documents.ts";
import { MemoryStore } from "../../support/memory/memory-store.ts";
import { never } from "../../support/signal.ts";

const SECRET = "hunter2-of-the-shop";

it("what an archive says of its losses holds no secret that a server repeated", async () => {
  const folder = newFolder();
  const info: CollectionInfo = {
    ...{ name: "orders", kind: "collection", type: "collection", options: new Map() },
    ...{ ordered: true, documents: 1, bytes: 20 },
  };
  const fails = new DualsyncError("source", `No answer from https://shop/?key=${SECRET}.`, {
    ofOneCollection: true,
  });
  const source = withMembers<MemoryStore>(new MemoryStore([doc({ _id: 1 })]), {
    // biome-ignore lint/correctness/useYield: it fails before it gives anything
    async *read() {
      throw fails;
    },
  });
  const redactor = new Redactor();
  redactor.add(SECRET);
  const doubts = [{ key: "option paid/pipeline", reason: `it names ${SECRET}` }];
  const view = { ...info, name: "paid", kind: "definition", type: "view" } as const;
  const run = {
    ...{
      source,
      sink: await beginRun(folder, options()),
      label: folder,
      verify: "none" as const,
      indexes: false,
    },
    ...{
      losses: new Losses([]),
      left: [{ name: "users", reason: `hidden from ${SECRET}`, isLoss: true as const }],
    },
    ...{ redact: (text: string) => redactor.redact(text), note: () => undefined },
    ...{ signal: never, stop: () => undefined },
  } as const;
  const jobs = [
    { from: info, to: info, doubts: [] },
    { from: view, to: view, doubts },
  ];
  await copyOnce(run, jobs, { meter: () => silentMeter } as Partial<Reporter> as Reporter);
  const [name = ""] = readdirSync(folder);
  const manifest = readFileSync(join(folder, name, "manifest.json"), "utf8");
  expect(manifest).not.toContain(SECRET);
  for (const reason of ["hidden from ***", "it names ***", "No answer from"])
    expect(manifest).toContain(reason);
});
