import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, it } from "vitest";

it("the demo copies, verifies, runs again and writes only what changed, restores what was lost, takes that back, archives, and survives an outage of KV", async () => {
  const { stdout, stderr } = await promisify(execFile)(process.execPath, ["build/demo/demo.js"], {
    maxBuffer: 1e8,
  });
  const verdicts = stdout.split("\n").filter((line) => line.startsWith("Done:"));
  expect(stdout).not.toMatch(/NOT RUN/);
  expect(verdicts).toHaveLength(5);
  expect(verdicts[0]).toMatch(/^Done: \d\d,\d{3} documents written, 0 documents unchanged; read back/);
  expect(verdicts[1]).toMatch(/^Done: 5 documents written, \d\d,\d{3} documents unchanged; read back/);
  expect(verdicts[2]).toMatch(/^Done: [\d,]+ documents written, 0 documents unchanged; read back/);
  expect(stdout).toMatch(/Identical\. Compared: [\d,]+ documents in 1 collection /);
  expect(stdout).toMatch(/orders +50,00\d/);
  expect(stdout).toMatch(/This is the plan; nothing was restored\./);
  expect(stdout).toMatch(
    /Restored: \d\d,\d{3} documents written, 0 unchanged; read back and equal byte for byte/,
  );
  expect(stdout).toMatch(/Identical\. Compared: \d\d,\d{3} documents in 2 collections/);
  expect(stdout).toMatch(/\d\d,\d{3} documents put back or removed, and read back/);
  expect(verdicts[3]).toMatch(/^Done: 5,001 documents written, 0 documents unchanged; read back/);
  expect(stdout).toMatch(/Different: 1 changed\. Since it was last verified, the copy has diverged in 1\./);
  expect(verdicts[4]).toMatch(/4,500 of them equivalent/);
  const steps = stdout.split("\n").filter((line) => line.startsWith("In step:"));
  expect(steps).toHaveLength(3);
  expect(steps[0]).toMatch(/^In step: 8 keys written to MongoDB, and read back\./);
  expect(stderr).toMatch(/refuses commands: the month's quota or budget of its plan is used up\./);
  expect(steps[1]).toMatch(/^In step: 7 keys equal; 2 keys written to KV, and read back\./);
  expect(steps[2]).toMatch(/^In step: 9 keys equal; nothing had to be written\./);
}, 240_000);
