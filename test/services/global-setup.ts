import { bundleProgram } from "../support/program.ts";
import { findMongod } from "./mongodb/mongodb.ts";
import { engineCommand } from "./mongodb/newer-loader.ts";

/**
 * Prepares once, before test files run at the same time, what the embedded engine needs and a program that starts soon. Where
 * that fails, the tests that need it fail with the same words, and all others still run.
 */
export async function setup(): Promise<() => Promise<void>> {
  if (findMongod() === undefined) await engineCommand("", []).catch((error: unknown) => console.warn(error));
  const program = await bundleProgram().catch((error: unknown) => void console.warn(error));
  if (program !== undefined) process.env.DUALSYNC_TEST_PROGRAM = program.bin;
  return async () => await program?.remove();
}
