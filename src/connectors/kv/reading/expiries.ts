/** When keys expire, and whether that must be asked at all: for each key it is one command more. */
import type { KvClient, KvCommand, KvReply, KvRunOptions } from "../api/commands.ts";
import { KvRefusal } from "../api/commands.ts";
import { LEASE_KEY } from "../control/own-keys.ts";
import { infoText, keyspaceInfo } from "./keyspace-info.ts";

/** What the server answers in place of a time: the key stays, or there is none. */
export const STAYS = -1;
export const ABSENT = -2;

const INFO: KvCommand = ["INFO", "keyspace"];

/** Replies to commands that read keys, and the time of expiry of each key, in milliseconds, or `STAYS` or `ABSENT`. */
export interface ReadTogether {
  readonly replies: readonly (KvReply | KvRefusal)[];
  /** Where nothing expires a key that is absent counts as one that stays. */
  readonly expiries: readonly number[];
}

/** Servers before Redis 7 tell only how long a key still lives. */
export type ExpiryCommand = "PEXPIRETIME" | "PTTL";

/** How often the counts of a server are compared: while it is written they may differ. */
const LOOKS = 3;

export class Expiries {
  readonly #client: KvClient;
  /** The server counts its keys correctly, and no key had a time of expiry when it was looked last. */
  #noneExpire = false;
  #fieldsExpire = false;
  #wasAsked = false;
  #command: ExpiryCommand | undefined;
  #holdsLease: () => boolean = () => false;

  constructor(client: KvClient) {
    this.#client = client;
  }

  /** Whether the expiry of each key is asked for. */
  get areRead(): boolean {
    return !this.#noneExpire;
  }

  /** Whether there are hashes with fields that expire by themselves, as far as the server says. */
  get fieldsExpire(): boolean {
    return this.#fieldsExpire;
  }

  /** The lease of this store's own session is a key that expires, and is certain to be there for as long as it is held. */
  leaseIs(held: () => boolean): void {
    this.#holdsLease = held;
  }

  /** To be called before many keys are read: asks whether any key expires. Costs one command. */
  async look(signal: AbortSignal): Promise<void> {
    this.#wasAsked = true;
    this.#noneExpire = false;
    for (let look = 1; look <= LOOKS; look++) {
      const [info, size] = await this.#client.run([INFO, ["DBSIZE"]], reads(signal));
      const found = keyspaceInfo(infoText(info));
      this.#fieldsExpire = (found?.fieldsExpire ?? 0) > 0;
      // A server whose numbers do not even count its keys proves nothing with them.
      if (found === undefined || found.keys !== size) continue;
      this.#noneExpire = this.#counts(found.expires);
      return;
    }
  }

  /** Whether nothing but the own lease expires. A lease that is not counted shows that the server does not count. */
  #counts(expires: number): boolean {
    return expires === (this.#holdsLease() ? 1 : 0);
  }

  /**
   * Runs commands that read these keys. Content and expiry belong together: both are read in one transaction, or it is certain
   * afterwards that nothing expires. `again`: something does expire by now, and what was read says nothing of it.
   */
  async read(
    commands: readonly KvCommand[],
    keys: readonly Uint8Array[],
    signal: AbortSignal,
  ): Promise<ReadTogether | "again"> {
    if (!this.#wasAsked) await this.look(signal);
    if (this.#noneExpire) {
      const replies = await this.#client.run([...commands, INFO], reads(signal));
      const found = keyspaceInfo(infoText(replies.at(-1)));
      this.#noneExpire = found !== undefined && this.#counts(found.expires);
      return this.#noneExpire ? { replies: replies.slice(0, -1), expiries: keys.map(() => STAYS) } : "again";
    }
    const command = await this.command(signal);
    const clock: readonly KvCommand[] = command === "PTTL" ? [["TIME"]] : [];
    const all = [...clock, ...commands, ...keys.map((key): KvCommand => [command, key])];
    const replies = await this.#client.transaction(all, reads(signal));
    const now = command === "PTTL" ? timeOf(replies[0]) : 0;
    const ends = replies.slice(clock.length + commands.length);
    return {
      replies: replies.slice(clock.length, clock.length + commands.length),
      expiries: ends.map((end) => {
        const left = typeof end === "number" ? end : Number.NaN;
        return left < 0 ? left : now + left;
      }),
    };
  }

  /** Asked once, of a key of our own. */
  async command(signal: AbortSignal): Promise<ExpiryCommand> {
    if (this.#command === undefined) {
      const [reply] = await this.#client.run([["PEXPIRETIME", LEASE_KEY]], reads(signal));
      this.#command = reply instanceof KvRefusal ? "PTTL" : "PEXPIRETIME";
    }
    return this.#command;
  }
}

/** Milliseconds of the server's clock: it gives seconds and microseconds. */
function timeOf(reply: KvReply | KvRefusal | undefined): number {
  const [seconds, microseconds] = Array.isArray(reply) ? reply.map((part) => Number(Buffer.from(part))) : [];
  return (seconds ?? Number.NaN) * 1000 + Math.floor((microseconds ?? Number.NaN) / 1000);
}

function reads(signal: AbortSignal): KvRunOptions {
  return { signal, doing: "read keys", repeatable: true };
}
