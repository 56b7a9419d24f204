import { type EnvFile, readEnvFile } from "./env-file.ts";

/** Where a value comes from; also the order of precedence. */
export type Origin = "environment" | ".env.local" | ".env";

export interface Variable {
  readonly value: string;
  readonly origin: Origin;
}

/** The variables that count. An empty or blank value is an unset one, so that the next origin is asked. */
export interface Environment {
  /** The directory that relative paths and the `.env` files belong to. */
  readonly cwd: string;
  get(name: string): Variable | undefined;
  /** What a reader should know of the files, for example a password cut at an unquoted `#`. Without values. */
  readonly warnings: readonly string[];
}

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

/** "MONGODB_URI in .env.local", "MONGODB_URI in the environment": how messages name a variable. */
export function describeVariable(name: string, variable: Variable): string {
  return `${name} in ${variable.origin === "environment" ? "the environment" : variable.origin}`;
}

function isSet(value: string | undefined): value is string {
  return value !== undefined && value.trim() !== "";
}

/** A value that was cut down to nothing counts nowhere, but its file is still the one to look at. */
function counts(variable: Variable | undefined, origin: Origin): boolean {
  return variable === undefined || variable.origin === origin;
}
