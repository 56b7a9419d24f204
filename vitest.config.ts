import { defineConfig } from "vitest/config";

const report = process.env.DUALSYNC_TEST_REPORT;

export default defineConfig({
  test: {
    globalSetup: "./test/services/global-setup.ts",
    pool: "forks",
    maxWorkers: 2,
    // For whoever counts the results of a run by machine.
    reporters: report === undefined ? ["default"] : ["default", ["json", { outputFile: report }]],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    projects: [
      { extends: true, test: { name: "direct", include: ["test/**/*.test.ts"] } },
      {
        // The same commands, between servers that look like replica sets: with sessions and cluster times.
        extends: true,
        test: {
          name: "replica set",
          include: ["test/commands/**/*.test.ts"],
          // These set the faces of their servers themselves.
          exclude: [
            ...["odd-servers", "retries", "secrets", "hostile-server", "endless-server"],
            // These compare what is held, and not how it is come by.
            ...[
              "bits",
              "flags",
              "gone",
              "hostile",
              "kills",
              "look-alikes",
              "many",
              "metadata",
              "planted",
            ].map((name) => `diff-${name}`),
          ].map((name) => `test/commands/${name}.test.ts`),
          env: { DUALSYNC_TEST_FACE: "replica-set" },
        },
      },
    ],
  },
});
