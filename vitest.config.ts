import { defineConfig } from "vitest/config";

const report = process.env.DUALSYNC_TEST_REPORT;

export default defineConfig({
  test: {
    globalSetup: "./test/services/global-setup.ts",
    pool: "forks",
    // The files of a worker share its servers (test/support/stores/shared-services.ts) and what was loaded.
    isolate: false,
    // Much of the time is spent waiting: for time limits of connections, for what is to settle.
    maxWorkers: 4,
    // For whoever counts the results of a run by machine.
    reporters: report === undefined ? ["default"] : ["default", ["json", { outputFile: report }]],
    // Tests run the built program as Node loads it.
    server: { deps: { external: [/\/node_modules\//, /\/dist\//] } },
    testTimeout: 60_000,
    hookTimeout: 120_000,
    projects: [
      { extends: true, test: { name: "direct", include: ["test/**/*.test.ts"] } },
      {
        // The same commands, between servers that look like replica sets: with sessions and cluster times.
        extends: true,
        test: {
          name: "replica set",
          // What depends on how servers are talked to: sessions, cluster times, cursors, retried writes.
          include: [
            ...["duplicate/duplicate", "duplicate/missing-rights", "diff/same-store", "repair/repair"],
            ...["after-a-fault", "cluster-time", "cut-connections"].map((name) => `faults/${name}`),
            ...["faults/disturbed-connections", "faults/kills", "diff/disturbed-connections"],
          ].map((name) => `test/commands/${name}.test.ts`),
          env: { DUALSYNC_TEST_FACE: "replica-set" },
        },
      },
    ],
  },
});
