import { existsSync } from "node:fs";
import { join } from "node:path";
import { aptDistribution, unpackedPackages } from "../postgres/apt-packages.ts";

/** What the embedded engine was linked against. */
const NEEDED_GLIBC = "2.38";
const PACKAGES = ["libc6", "libstdc++6", "libgcc-s1"];
const NEWER_RELEASE = { debian: "trixie", ubuntu: "noble" };

export interface Command {
  readonly command: string;
  readonly args: readonly string[];
}

/**
 * How to start `script` with Node.js so that the embedded engine can be loaded in it. Where glibc is too old this
 * goes through a newer dynamic loader, unpacked into the cache and not installed: the first call downloads it.
 * Throws on a machine that the engine was not built for.
 */
export async function engineCommand(script: string, args: readonly string[]): Promise<Command> {
  if (!(await needsNewerLoader())) return { command: process.execPath, args: [script, ...args] };
  const { triplet, loader } = machine();
  const root = await newerLibraries();
  const folders = [`usr/lib/${triplet}`, `lib/${triplet}`].map((name) => join(root, name)).filter(existsSync);
  const command = folders.map((folder) => join(folder, loader)).find(existsSync);
  if (command === undefined) throw new Error(`no ${loader} under ${root}: remove that folder and try again`);
  const system = [`/usr/lib/${triplet}`, `/lib/${triplet}`].filter(existsSync);
  const path = [...folders, ...system].join(":");
  return { command, args: ["--library-path", path, process.execPath, script, ...args] };
}

async function newerLibraries(): Promise<string> {
  const distribution = await aptDistribution();
  if (distribution === undefined) {
    throw unsupported(`has glibc ${runningGlibc()}, and the embedded engine needs ${NEEDED_GLIBC}`);
  }
  return unpackedPackages(distribution, NEWER_RELEASE[distribution.family], PACKAGES);
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

function machine(): { triplet: string; loader: string } {
  return process.arch === "arm64"
    ? { triplet: "aarch64-linux-gnu", loader: "ld-linux-aarch64.so.1" }
    : { triplet: "x86_64-linux-gnu", loader: "ld-linux-x86-64.so.2" };
}
