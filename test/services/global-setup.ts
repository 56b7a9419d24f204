import { findMongod } from "./mongodb/mongodb.ts";
import { engineCommand } from "./mongodb/newer-loader.ts";

/**
 * Prepares what the embedded engine needs once, before test files run at the same time. Where that fails, the
 * tests that need a MongoDB fail with the same words, and all others still run.
 */
export async function setup(): Promise<void> {
  if (findMongod() !== undefined) return;
  await engineCommand("", []).catch((error: unknown) => console.warn(error));
}
