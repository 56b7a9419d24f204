import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "../process/service-process.ts";
import { aptDistribution, type Distribution, unpackedPackages } from "./apt-packages.ts";

/** The release whose programs are unpacked, whatever release this machine runs. */
const NEWER_RELEASE = { debian: "trixie", ubuntu: "noble" };

/**
 * The folder that holds the files of `packages` of a newer release, unpacked into the cache and not installed;
 * undefined: this machine has no apt of Debian or Ubuntu. They must hold libc6, to be started by `unpackedCommand`.
 */
export async function newerPackages(
  packages: Readonly<Record<Distribution["family"], readonly string[]>>,
): Promise<string | undefined> {
  const distribution = await aptDistribution();
  if (distribution === undefined) return undefined;
  const { family } = distribution;
  return unpackedPackages(distribution, NEWER_RELEASE[family], packages[family]);
}

/**
 * How to start a program with the dynamic loader and the libraries of unpacked packages: it may need a newer glibc
 * than this machine has. What the packages lack comes from the machine.
 */
export function unpackedCommand(root: string, program: string, args: readonly string[]): Command {
  const { triplet, loader } = machine();
  const folders = [`usr/lib/${triplet}`, `lib/${triplet}`].map((name) => join(root, name)).filter(existsSync);
  const command = folders.map((folder) => join(folder, loader)).find(existsSync);
  if (command === undefined) throw new Error(`no ${loader} under ${root}: remove that folder and try again`);
  const system = [`/usr/lib/${triplet}`, `/lib/${triplet}`].filter(existsSync);
  const path = [...folders, ...system].join(":");
  return { command, args: ["--library-path", path, program, ...args] };
}

function machine(): { triplet: string; loader: string } {
  return process.arch === "arm64"
    ? { triplet: "aarch64-linux-gnu", loader: "ld-linux-aarch64.so.1" }
    : { triplet: "x86_64-linux-gnu", loader: "ld-linux-x86-64.so.2" };
}
