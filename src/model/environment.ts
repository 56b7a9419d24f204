/** The variables that a run was started with. */

/** Where a value comes from; also the order of precedence. */
export type Origin = "environment" | ".env.local" | ".env";

export interface Variable {
  readonly value: string;
  readonly origin: Origin;
  /** What it is called there, where that is not what was asked for. */
  readonly name?: string;
}

/** The variables that count. An empty or blank value is an unset one, so that the next origin is asked. */
export interface Environment {
  /** The directory that relative paths and the `.env` files belong to. */
  readonly cwd: string;
  get(name: string): Variable | undefined;
  /** What a variable is called where it is looked for; absent: as it is asked for. */
  nameOf?(name: string): string;
  /** What a reader should know of the files, for example a password cut at an unquoted `#`. Without values. */
  readonly warnings: readonly string[];
}

/** "MONGODB_URI in .env.local", "MONGODB_URI in the environment": how messages name a variable. */
export function describeVariable(name: string, variable: Variable): string {
  return `${variable.name ?? name} in ${variable.origin === "environment" ? "the environment" : variable.origin}`;
}
