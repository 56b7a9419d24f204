import { newerPackages, unpackedCommand } from "../debian/newer-release.ts";
import type { Command } from "../process/service-process.ts";

/** What the embedded engine was linked against. */
const NEEDED_GLIBC = "2.38";
const PACKAGES = ["libc6", "libstdc++6", "libgcc-s1"];

/**
 * How to start `script` with Node.js so that the embedded engine can be loaded in it. Where glibc is too old this
 * goes through a newer dynamic loader, unpacked into the cache and not installed: the first call downloads it.
 * Throws on a machine that the engine was not built for.
 */
export async function engineCommand(script: string, args: readonly string[]): Promise<Command> {
  if (!(await needsNewerLoader())) return { command: process.execPath, args: [script, ...args] };
  const root = await newerPackages({ debian: PACKAGES, ubuntu: PACKAGES });
  if (root === undefined)
    throw unsupported(`has glibc ${runningGlibc()}, and the embedded engine needs ${NEEDED_GLIBC}`);
  return unpackedCommand(root, process.execPath, [script, ...args]);
}

/** Throws on a machine that the embedded engine was not built for. */
async function needsNewerLoader(): Promise<boolean> {
  const { platform, arch } = process;
  if (platform === "darwin" && arch === "arm64") return false;
  if (platform !== "linux" || (arch !== "x64" && arch !== "arm64")) {
    throw unsupported(`is ${platform} on ${arch}, for which there is no embedded engine`);
  }
  const running = runningGlibc();
  if (running === undefined) throw unsupported("does not run on glibc, which the embedded engine needs");
  return isOlder(running, NEEDED_GLIBC);
}

function unsupported(reason: string): Error {
  return new Error(
    `These tests need a MongoDB server: this machine ${reason}. ` +
      "Install mongod, or set DUALSYNC_TEST_MONGOD to the path of one.",
  );
}

/** Read once: a report looks up the name of the other end of every open connection. */
let report: { header: { glibcVersionRuntime?: string } } | undefined;
function runningGlibc(): string | undefined {
  report ??= process.report.getReport() as unknown as NonNullable<typeof report>;
  return report.header.glibcVersionRuntime;
}

function isOlder(version: string, than: string): boolean {
  return version.localeCompare(than, "en", { numeric: true }) < 0;
}
