import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";

/**
 * The folder for what the tests fetch once and keep: `DUALSYNC_TEST_CACHE`, else `.cache` beside the package.json
 * above this file. (This file may run from a build folder.)
 */
export function cacheFolder(): string {
  const given = process.env.DUALSYNC_TEST_CACHE;
  if (given !== undefined && given !== "") return resolve(given);
  let folder = import.meta.dirname;
  while (!existsSync(join(folder, "package.json"))) {
    const above = dirname(folder);
    if (above === folder) throw new Error("no package.json above the tests: set DUALSYNC_TEST_CACHE");
    folder = above;
  }
  return join(folder, ".cache");
}
