import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, it } from "vitest";

it("the demo copies, verifies, runs again and writes only what changed", async () => {
  const { stdout } = await promisify(execFile)(process.execPath, ["build/demo/demo.js"], { maxBuffer: 1e8 });
  const verdicts = stdout.split("\n").filter((line) => line.startsWith("Done:"));
  expect(verdicts).toHaveLength(2);
  expect(verdicts[0]).toMatch(/^Done: \d\d,\d{3} documents written, 0 documents unchanged; read back/);
  expect(verdicts[1]).toMatch(/^Done: 5 documents written, \d\d,\d{3} documents unchanged; read back/);
  expect(stdout).toMatch(/orders +50,00\d/);
}, 180_000);
