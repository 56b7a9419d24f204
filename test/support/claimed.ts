import type { Target } from "../../src/connectors/connector.ts";
import { mongodb } from "../../src/connectors/mongodb/mongodb.ts";
import type { ServerOptions } from "../../src/connectors/mongodb/server.ts";
import { never } from "./signal.ts";

/** A target with the right to write, which ends by itself. One run at a time has it in a database. */
export async function claimed(options: Omit<ServerOptions, "role" | "label">): Promise<Target> {
  const target = await mongodb({ ...options, role: "target", label: `test/${options.database}` }, never);
  const holder = { host: "test-host", pid: 1 };
  await target.claim({ id: "r", command: "test", holder, from: "nowhere", isGone: () => false }, never);
  return target;
}
