import type { Environment, Origin, Variable } from "../../model/environment.ts";
import { type EnvFile, readEnvFile } from "./env-file.ts";

export interface EnvironmentOptions {
  readonly cwd: string;
  readonly processEnv: Readonly<Record<string, string | undefined>>;
}

/**
 * The process environment before `.env.local` before `.env`, both files only from the working directory. Nothing is
 * written into the process environment. Fails with `usage` when a file is there and cannot be read.
 */
export function loadEnvironment({ cwd, processEnv }: EnvironmentOptions): Environment {
  const files: readonly (readonly [Origin, EnvFile])[] = [
    [".env.local", readEnvFile(cwd, ".env.local")],
    [".env", readEnvFile(cwd, ".env")],
  ];

  function get(name: string): Variable | undefined {
    const own = Object.hasOwn(processEnv, name) ? processEnv[name] : undefined;
    if (isSet(own)) return { value: own, origin: "environment" };
    for (const [origin, file] of files) {
      const value = file.variables.get(name);
      if (isSet(value)) return { value, origin };
    }
    return undefined;
  }

  const warnings = files.flatMap(([origin, file]) =>
    file.warnings
      .filter(({ name }) => name === undefined || counts(get(name), origin))
      .map(({ text }) => text),
  );
  return { cwd, get, warnings };
}

function isSet(value: string | undefined): value is string {
  return value !== undefined && value.trim() !== "";
}

/** A value that was cut down to nothing counts nowhere, but its file is still the one to look at. */
function counts(variable: Variable | undefined, origin: Origin): boolean {
  return variable === undefined || variable.origin === origin;
}
