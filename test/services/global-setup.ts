import { findMongod } from "./mongodb/mongodb.ts";
import { engineCommand } from "./mongodb/newer-loader.ts";
import { canRunRedis } from "./redis/redis-program.ts";

/**
 * Prepares what the embedded engine and Redis need once, before test files run at the same time. Where that fails,
 * the tests that need a MongoDB fail with the same words, those that need a Redis are not run, and all others run.
 */
export async function setup(): Promise<void> {
  if (findMongod() === undefined) {
    await engineCommand("", []).catch((error: unknown) => console.warn(error));
  }
  await canRunRedis();
}
