/** Scripts that the server runs as one step. Each is sent once and called by its hash from then on. */
import { isUtf8 } from "node:buffer";
import { createHash } from "node:crypto";
import {
  type KvClient,
  type KvCommand,
  KvRefusal,
  type KvReply,
  type KvRunOptions,
} from "../api/commands.ts";

export interface Script {
  readonly source: string;
  readonly hash: string;
  /** It writes nothing: it runs on a server, too, that is full. */
  readonly readsOnly: boolean;
}

export function scriptOf(source: string, readsOnly = false): Script {
  return { source, hash: createHash("sha1").update(source).digest("hex"), readsOnly };
}

export interface ScriptCall {
  readonly keys: readonly (string | Uint8Array)[];
  readonly args: readonly (string | number | Uint8Array)[];
}

/** A server forgets scripts when it is restarted, and may do so again. */
const TRIES = 3;

export class Scripts {
  readonly #client: KvClient;
  readonly #known = new Set<string>();
  /** The service has commands for scripts that write nothing. */
  #hasReadOnly = true;

  constructor(client: KvClient) {
    this.#client = client;
  }

  /** Runs the script once for each call, in their order, and gives one reply each. */
  async run(
    script: Script,
    calls: readonly ScriptCall[],
    options: KvRunOptions,
  ): Promise<readonly (KvReply | KvRefusal)[]> {
    const replies: (KvReply | KvRefusal)[] = calls.map(() => null);
    let open = calls.map((call, index) => ({ call, index }));
    for (let tried = 1; open.length > 0; tried++) {
      const isReadOnly = script.readsOnly && this.#hasReadOnly;
      const commands = open.map(({ call }) => this.#command(script, call));
      const found = await this.#client.run(commands, options);
      const unknown: typeof open = [];
      for (const [at, reply] of found.entries()) {
        const one = open[at] as (typeof open)[number];
        const code = reply instanceof KvRefusal ? reply.code : undefined;
        const isUnknown = code === "NOSCRIPT" || (code === "NOCOMMAND" && isReadOnly);
        if (code === "NOCOMMAND" && isReadOnly) this.#hasReadOnly = false;
        if (isUnknown && tried < TRIES) unknown.push(one);
        else replies[one.index] = reply;
      }
      if (unknown.length > 0) this.#known.delete(script.hash);
      open = unknown;
    }
    return replies;
  }

  #command({ source, hash, readsOnly }: Script, { keys, args }: ScriptCall): KvCommand {
    const rest = [keys.length, ...keys, ...args];
    const suffix = readsOnly && this.#hasReadOnly ? "_RO" : "";
    // What is no text makes another script of it.
    if (!rest.every(isText)) return [`EVAL${suffix}`, source, ...rest];
    if (this.#known.has(hash)) return [`EVALSHA${suffix}`, hash, ...rest];
    this.#known.add(hash);
    return [`EVAL${suffix}`, source, ...rest];
  }
}

function isText(argument: string | number | Uint8Array): boolean {
  return !(argument instanceof Uint8Array) || isUtf8(argument);
}
