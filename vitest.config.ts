import { defineConfig } from "vitest/config";

const report = process.env.DUALSYNC_TEST_REPORT;

export default defineConfig({
  test: {
    globalSetup: "./test/services/global-setup.ts",
    pool: "forks",
    // Much of the time is spent waiting: for time limits of connections, for what is to settle.
    maxWorkers: 3,
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
            // These are about what is held, told and written down, and not about how servers are talked to.
            ...["bits", "filtered", "flags", "gone", "hostile", "kills", "kinds", "look-alikes", "many"].map(
              (name) => `diff-${name}`,
            ),
            ...["memory", "metadata", "planted", "report", "sides"].map((name) => `diff-${name}`),
            ...["own-names", "renamed-views"],
            ...["repair-faults", "repair-guards", "repair-plan-file", "repair-unique"],
            ...["agreement", "changed-copy", "unreadable"],
            ...["backfill*", "diff-project*", "diff-nights", "guards", "resume", "seals"],
            ...[
              "undo",
              "undo-disk",
              "undo-kills",
              "undo-refusals",
              "findings",
              "findings-limit",
              "find-saved",
            ],
          ].map((name) => `test/commands/${name}.test.ts`),
          env: { DUALSYNC_TEST_FACE: "replica-set" },
        },
      },
    ],
  },
});
