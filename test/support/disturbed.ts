import { withDatabase } from "../services/mongodb/mongodb.ts";
import { type CliResult, dualsync } from "./cli.ts";
import type { ServerPair } from "./stores/pair.ts";

/** Two runs of one copy: one that is disturbed, and the same command again when all is calm. */
export interface DisturbedCopy {
  readonly disturbed: CliResult;
  readonly again: CliResult;
}

/**
 * Copies the pair's database while `disturb` is at work, then again without. `disturb` is called once, before the
 * program starts; it sets faults on the pair's proxies, or gives back what to do with the process when it runs.
 */
export async function copyDisturbed(
  pair: ServerPair,
  disturb: () => Disturbance | undefined,
  ...flags: string[]
): Promise<DisturbedCopy> {
  const env = {
    LIVE: withDatabase(pair.source.uri, pair.database),
    COPY: withDatabase(pair.target.uri, pair.database),
  };
  const args = ["duplicate", "--from", "env:LIVE", "--to", "env:COPY", ...flags];
  const onStart = disturb();
  const disturbed = await dualsync(args, { env, ...(onStart === undefined ? {} : { onStart }) });
  pair.sourceProxy.calm();
  pair.targetProxy.calm();
  return { disturbed, again: await dualsync(args, { env }) };
}

type Disturbance = NonNullable<NonNullable<Parameters<typeof dualsync>[1]>["onStart"]>;
