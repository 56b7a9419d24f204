// Loaded into a measured process with --import: writes what it has used when it ends, to the file that BENCH_USAGE names.
import { writeFileSync } from "node:fs";

const started = performance.now();
process.on("exit", () => {
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
  const file = process.env.BENCH_USAGE;
  if (file === undefined) return;
  const usage = {
    seconds: (performance.now() - started) / 1e3,
    cpu: (userCPUTime + systemCPUTime) / 1e6,
    memory: maxRSS * 1024,
  };
  writeFileSync(file, JSON.stringify(usage));
});
