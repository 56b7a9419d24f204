import { connectorOf } from "../../connectors/registry.ts";
import type { Environment } from "../../model/environment.ts";

/** The environment as `--kv-env-prefix` says that it is to be read, which some commands take. Fails with `usage`. */
export function prefixed(
  environment: Environment,
  { kvEnvPrefix }: Readonly<Record<string, unknown>>,
): Environment {
  if (typeof kvEnvPrefix !== "string") return environment;
  const { withPrefix } = connectorOf({ kind: "kv" });
  return withPrefix?.(environment, kvEnvPrefix, "--kv-env-prefix") ?? environment;
}
