import { defineConfig } from "vitest/config";

const report = process.env.DUALSYNC_TEST_REPORT;

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    globalSetup: "./test/services/global-setup.ts",
    pool: "forks",
    maxWorkers: 2,
    // For whoever counts the results of a run by machine.
    reporters: report === undefined ? ["default"] : ["default", ["json", { outputFile: report }]],
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
});
