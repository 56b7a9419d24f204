import { loadEnvironment } from "../../src/config/env/environment.ts";
import type { Environment } from "../../src/model/environment.ts";
import { DualsyncError } from "../../src/model/errors.ts";

/** What `work` fails with; anything but the program's own error fails the test. */
export function failureOf(work: () => unknown): DualsyncError {
  try {
    work();
  } catch (error) {
    if (error instanceof DualsyncError) return error;
    throw error;
  }
  throw new Error("expected a DualsyncError, but nothing was thrown");
}

/** Everything of a failure that a person may see. */
export function textOf(failure: DualsyncError): string {
  return `${failure.message}\n${failure.hint ?? ""}`;
}

/** An environment of these variables and no files. */
export function environmentOf(variables: Readonly<Record<string, string>> = {}): Environment {
  return loadEnvironment({ cwd: "/nonexistent", processEnv: variables });
}
