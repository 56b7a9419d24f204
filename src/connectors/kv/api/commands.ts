/** What is said to a KV store and what it answers, whatever carries it. */

/** Scripts that call a command cannot hand it many more arguments. */
export const MOST_BINARY_ARGUMENTS = 4_000;

/**
 * Name first. Bytes need not be text. A command with some that are not has no more than MOST_BINARY_ARGUMENTS, its name counted, and is
 * not EVALSHA. Neighbouring commands with such bytes are billed as one more.
 */
export type KvCommand = readonly [name: string, ...args: readonly (string | number | Uint8Array)[]];

/**
 * One command was refused; the others of its request were run. `code` is the first word of the server's answer (WRONGTYPE). Where that says
 * nothing but ERR it is TOOLARGE (the command or its answer: less at a time may do), KEYTOOLONG or NOCOMMAND (the service does not have it),
 * if that is what is meant.
 */
export class KvRefusal {
  readonly code: string;

  constructor(code: string) {
    this.code = code;
  }
}

/** Texts come as bytes. */
export type KvReply = Uint8Array | number | null | readonly KvReply[];

export interface KvRunOptions {
  readonly signal: AbortSignal;
  /** What is being done, for messages: "read keys", "write a key". */
  readonly doing: string;
  /** Running the commands twice is the same as running them once: they are sent again after an answer was lost. */
  readonly repeatable: boolean;
  /** Called before commands are sent again of which it is unknown whether they were run. */
  readonly onRepeat?: (() => void) | undefined;
  /** What all the commands together are billed; without it each is billed as one. */
  readonly bills?: number | undefined;
  /** What a command was billed after all, by its reply; undefined: as `bills` has it. */
  readonly billed?: ((reply: KvReply | KvRefusal) => number | undefined) | undefined;
  /** Needed to end cleanly: sent whatever the limit on commands. */
  readonly unlimited?: true | undefined;
}

/** A KV store over HTTP: requests are repeated, refusals of the whole are DualsyncErrors, and what is billed is counted. */
export interface KvClient {
  readonly label: string;
  /** The server's clock by its latest answer; undefined where it does not say. */
  readonly time: Date | undefined;
  readonly spent: { readonly commands: number; readonly requests: number; readonly bytes: number };
  /** Billed commands that may still be sent; Infinity as long as there is no limit. */
  readonly left: number;
  /** See `Costs.limit`. */
  limit(commands: number): void;
  /** At most so many commands a second from now on; undefined: as fast as answers come. */
  pace(commandsPerSecond: number | undefined): void;
  /**
   * Runs the commands in their order and gives one reply each, in as few requests as size allows. Other clients' commands may run in
   * between. @throws DualsyncError when the store cannot be used: never a refusal of one command
   */
  run(commands: readonly KvCommand[], options: KvRunOptions): Promise<readonly (KvReply | KvRefusal)[]>;
  /**
   * All of them together, with nothing in between, or none. A refusal while they run does not take back the others; where all are refused,
   * nothing was changed.
   */
  transaction(
    commands: readonly KvCommand[],
    options: KvRunOptions,
  ): Promise<readonly (KvReply | KvRefusal)[]>;
  close(): Promise<void>;
}
