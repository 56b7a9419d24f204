import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { newerPackages, unpackedCommand } from "../debian/newer-release.ts";
import type { Command } from "../process/service-process.ts";

/** The server with every library that it loads. */
const PACKAGES = [
  ...["redis-server", "redis-tools", "libatomic1", "libc6", "libjemalloc2", "liblzf1", "libssl3t64"],
  ...["libstdc++6", "libgcc-s1", "libsystemd0", "libcap2", "libzstd1", "zlib1g"],
];
const UBUNTU_PACKAGES = [...PACKAGES, "libgcrypt20", "libgpg-error0", "liblz4-1", "liblzma5"];

/**
 * How to start a `redis-server`: the one of `DUALSYNC_TEST_REDIS` or of PATH, else the one of Debian or Ubuntu,
 * unpacked into the cache and not installed: the first call downloads it. Throws where there is none.
 */
export async function redisCommand(args: readonly string[]): Promise<Command> {
  const program = givenProgram();
  if (program !== undefined) return { command: program, args };
  const root = await newerPackages({ debian: PACKAGES, ubuntu: UBUNTU_PACKAGES });
  if (root === undefined)
    throw new Error("no redis-server on the PATH, and no apt of Debian or Ubuntu to get one from");
  return unpackedCommand(root, join(root, "usr/bin/redis-server"), args);
}

/** Whether tests that need a Redis server can run here. Where they cannot, it says so loudly, once a process. */
export function canRunRedis(): Promise<boolean> {
  possible ??= redisCommand([]).then(
    () => true,
    ({ message, cause }: Error) => {
      const reason = cause instanceof Error ? `${message}: ${cause.message.trim()}` : message;
      console.error(
        `NOT RUN: all tests that need a Redis server. Install redis-server, or set DUALSYNC_TEST_REDIS to the path of one. (${reason})`,
      );
      return false;
    },
  );
  return possible;
}
let possible: Promise<boolean> | undefined;

function givenProgram(): string | undefined {
  const given = process.env.DUALSYNC_TEST_REDIS;
  if (given !== undefined && given !== "") return given;
  const folders = (process.env.PATH ?? "").split(delimiter).filter((folder) => folder !== "");
  return folders.map((folder) => join(folder, "redis-server")).find(existsSync);
}
