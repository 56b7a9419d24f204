import { withDatabase } from "../services/mongodb/mongodb.ts";
import { type CliResult, dualsync } from "./cli.ts";
import type { ServerPair } from "./stores/pair.ts";

/** A copy that was disturbed. */
export interface DisturbedCopy {
  readonly disturbed: CliResult;
  /** Runs the same command again, now that all is calm. */
  again(): Promise<CliResult>;
}

/**
 * Copies a database, by default the pair's, while `disturb` is at work. `disturb` is called once, before the program
 * starts; it sets faults on the pair's proxies, or gives back what to do with the process when it runs.
 */
export async function copyDisturbed(
  pair: ServerPair,
  disturb: () => Disturbance | undefined,
  database = pair.database,
): Promise<DisturbedCopy> {
  const env = {
    LIVE: withDatabase(pair.source.uri, database),
    COPY: withDatabase(pair.target.uri, database),
  };
  const args = ["duplicate", "--from", "env:LIVE", "--to", "env:COPY"];
  const onStart = disturb();
  const disturbed = await dualsync(args, { env, ...(onStart === undefined ? {} : { onStart }) });
  pair.sourceProxy.calm();
  pair.targetProxy.calm();
  return { disturbed, again: () => dualsync(args, { env }) };
}

/** What is done with the process as soon as it is there. */
export type Disturbance = NonNullable<NonNullable<Parameters<typeof dualsync>[1]>["onStart"]>;
