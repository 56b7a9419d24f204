/**
 * Redis's own protocol, version 2. Bytes stay bytes: nothing is read as text but statuses, failures and numbers.
 * An integer that a number cannot hold is a bigint.
 */
export type RedisReply = null | number | bigint | Buffer | RedisStatus | RedisFailure | readonly RedisReply[];

/** "OK", "PONG", "string", … */
export class RedisStatus {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** What a command was answered with in place of a result: "WRONGTYPE Operation against …". */
export class RedisFailure extends Error {}

export type RedisArgument = string | number | Uint8Array;

/** The name of a command and its arguments. Texts are sent as UTF-8. */
export type RedisCommand = readonly RedisArgument[];

export function encodeCommand(command: RedisCommand): Buffer {
  const parts: Uint8Array[] = [Buffer.from(`*${command.length}\r\n`)];
  for (const argument of command) {
    const bytes = argument instanceof Uint8Array ? argument : Buffer.from(String(argument));
    parts.push(Buffer.from(`$${bytes.length}\r\n`), bytes, LINE_END);
  }
  return Buffer.concat(parts);
}

const LINE_END = Buffer.from("\r\n");

interface OpenArray {
  readonly length: number;
  readonly items: RedisReply[];
}

/** Takes what comes from a server, in pieces of any size, and gives whole replies. */
export class ReplyReader {
  #chunks: Buffer[] = [];
  #available = 0;
  /** Fewer bytes than this cannot be the rest of what is being read. */
  #needed = 1;
  readonly #open: OpenArray[] = [];

  *read(chunk: Buffer): Generator<RedisReply> {
    this.#chunks.push(chunk);
    this.#available += chunk.length;
    if (this.#available < this.#needed) return;
    const bytes = this.#chunks.length === 1 ? chunk : Buffer.concat(this.#chunks);
    let at = 0;
    this.#needed = 1;
    while (at < bytes.length) {
      const lineEnd = bytes.indexOf(LINE_END, at);
      if (lineEnd < 0) break;
      const kind = bytes.toString("latin1", at, at + 1);
      const line = bytes.toString("utf8", at + 1, lineEnd);
      const next = lineEnd + LINE_END.length;
      if (kind === "*" && Number(line) > 0) {
        this.#open.push({ length: Number(line), items: [] });
        at = next;
        continue;
      }
      const length = kind === "$" ? Math.max(Number(line), -1) : -1;
      const end = length < 0 ? next : next + length + LINE_END.length;
      if (end > bytes.length) {
        this.#needed = end - at;
        break;
      }
      const whole = this.#close(
        length < 0 ? ofLine(kind, line) : Buffer.from(bytes.subarray(next, next + length)),
      );
      at = end;
      if (whole !== undefined) yield whole;
    }
    const rest = bytes.subarray(at);
    this.#chunks = rest.length === 0 ? [] : [rest];
    this.#available = rest.length;
  }

  /** Puts a value where it belongs; gives the reply that it completes. */
  #close(value: RedisReply): RedisReply | undefined {
    let done = value;
    for (;;) {
      const array = this.#open.at(-1);
      if (array === undefined) return done;
      array.items.push(done);
      if (array.items.length < array.length) return undefined;
      this.#open.pop();
      done = array.items;
    }
  }
}

function ofLine(kind: string, line: string): RedisReply {
  if (kind === "+") return new RedisStatus(line);
  if (kind === "-") return new RedisFailure(line);
  if (kind === "$" || (kind === "*" && line === "-1")) return null;
  if (kind === "*") return [];
  if (kind !== ":") throw new Error(`not a reply of Redis: ${kind}${line}`);
  const number = Number(line);
  return Number.isSafeInteger(number) ? number : BigInt(line);
}
