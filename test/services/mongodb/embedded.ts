import { join } from "node:path";
import { type StartedServer, startProcess } from "../process/service-process.ts";
import { engineCommand } from "./newer-loader.ts";

export interface EmbeddedOptions {
  readonly directory: string;
  readonly port: number;
  readonly rawDocuments: boolean;
  readonly clusterTime: boolean;
  readonly deny: readonly string[];
  /** The engine's process removes the folder itself when this process is gone. */
  readonly temporary: boolean;
}

/** Starts MongoDB's own engine from npm in a child process. It looks like a standalone server without sessions. */
export async function startEmbedded(options: EmbeddedOptions): Promise<StartedServer> {
  const args = [options.directory, "--port", String(options.port)];
  if (options.rawDocuments) args.push("--raw-documents");
  if (options.clusterTime) args.push("--cluster-time");
  for (const field of options.deny) args.push("--deny", field);
  if (options.temporary) args.push("--temporary");
  const command = await engineCommand(join(import.meta.dirname, "engine-child.js"), args);
  const child = await startProcess("the embedded MongoDB engine", command);
  const { port } = child.ready as { port: number };
  const uri = `mongodb://127.0.0.1:${port}/?directConnection=true`;
  return { uri, port, stop: child.stop, kill: child.kill };
}
