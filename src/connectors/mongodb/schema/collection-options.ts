import type { CollectionInfo, Metadata } from "../../collection.ts";
import { DEFAULT_OPTIONS, differingOptions } from "../../definitions/definition.ts";
import { retry } from "../../wrappers/retry.ts";
import type { NotReproduced } from "../../write-outcome.ts";
import type { Server } from "../connection/server.ts";
import { codeText, isFull, isTransient, shapeOf } from "../failures/faults.ts";
import { withoutVersions } from "./collections.ts";

/** Options in which the existing collection differs from the wanted one; fixed where the server allows it. */
export async function alignOptions(
  server: Server,
  info: CollectionInfo,
  existing: Metadata,
  signal: AbortSignal,
): Promise<NotReproduced[]> {
  const have = withoutVersions((existing.get("options") as Metadata | undefined) ?? new Map());
  const lost: NotReproduced[] = [];
  for (const name of differingOptions(info.options, have)) {
    const reason = await modify(server, info, name, signal);
    if (reason !== undefined) lost.push({ key: `option ${info.name}/${name}`, reason });
  }
  return lost;
}

const MODIFIABLE = new Set([
  "validator",
  "validationLevel",
  "validationAction",
  "expireAfterSeconds",
  "changeStreamPreAndPostImages",
]);
const OFF: ReadonlyMap<string, unknown> = new Map([...DEFAULT_OPTIONS, ["expireAfterSeconds", "off"]]);

async function modify(
  server: Server,
  info: CollectionInfo,
  name: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (!MODIFIABLE.has(name))
    return "the target's collection was created with another value, which cannot be changed";
  try {
    const value = info.options.get(name) ?? OFF.get(name);
    const command = { collMod: info.name, [name]: value, writeConcern: { w: "majority" } };
    await retry(server.policy, signal, isTransient, () =>
      server.run(command, { signal, doing: `change ${name}`, retry: false }),
    );
    return undefined;
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    if (isTransient(error) || isFull(error))
      throw server.fault(error, `change the option ${name} of ${info.name}`, info.name);
    return `the target's collection has another value and it could not be changed (${codeText(shapeOf(error))})`;
  }
}
