/** Writes keys that are still what was read, in as few commands as that takes. */
import { isUtf8 } from "node:buffer";
import type { Doc } from "../../../model/document.ts";
import type {
  GuardedOutcome,
  GuardedWrite,
  GuardedWrites,
  PreparedWrite,
} from "../../powers/guarded-writes.ts";
import { type KvCommand, KvRefusal, type KvReply, type KvRunOptions } from "../api/commands.ts";
import { BUILD_PREFIX, isOwnKey } from "../control/own-keys.ts";
import { decodeRecord } from "../entry/decode-record.ts";
import { encodeRecord } from "../entry/encode-record.ts";
import type { Entry } from "../entry/entry.ts";
import { keyOfId } from "../entry/key-id.ts";
import { readKeys } from "../reading/entries.ts";
import { COLLECTION } from "../reading/inexact-keys.ts";
import type { KvReading } from "../reading/reading.ts";
import { contentDigest } from "../scripts/content-digest.ts";
import type { ScriptCall } from "../scripts/scripts.ts";
import { build, PIECE_BYTES } from "./build.ts";
import { type ContentPart, partsOf, sizeOfParts, unwritable } from "./content-parts.ts";
import { CONFLICT, guardScript, PRESENT, UNBUILT, WRITTEN } from "./guard-script.ts";

const DOING = "write keys";

const DONE: GuardedOutcome = { result: "written" };
const CHANGED: GuardedOutcome = { result: "conflict" };
const BY_OTHER: GuardedOutcome = { result: "written", byOther: true };

function rejected(reason: string): GuardedOutcome & { readonly result: "rejected" } {
  return { result: "rejected", reason };
}

/** A key that is to be written. */
interface KeyWrite {
  readonly index: number;
  readonly key: Uint8Array;
  readonly expected: Entry | undefined;
  readonly wanted: Entry | undefined;
}

/** One that is to be created with a string. */
interface NewString extends KeyWrite {
  readonly expected: undefined;
  readonly wanted: Entry & { readonly content: { readonly type: "string" } };
}

/** `hold`: resolves when the right to write is certain for this moment. */
export function guardedWrites(reading: KvReading, nonce: string, hold: () => Promise<void>): GuardedWrites {
  const writer = new KeyWriter(reading, nonce);
  return {
    async prepare(_collection, writes) {
      return writes.map((write) => prepared(write));
    },
    async apply(_collection, writes, signal) {
      await hold();
      return await writer.apply(
        writes.map(({ write }) => write),
        signal,
      );
    },
  };
}

function prepared(write: GuardedWrite): PreparedWrite | Exclude<GuardedOutcome, { result: "written" }> {
  const { id, expected } = write;
  const key = keyOfId(id);
  if (key === undefined) return rejected("it is no id that a key has");
  if (isOwnKey(key)) return rejected("keys whose names begin so are dualsync's own");
  const before = expected === undefined ? undefined : decodeRecord(expected);
  if (before !== undefined && "problem" in before)
    return rejected("what is there now could not be read, and is not overwritten or removed");
  const wanted = write.wanted === undefined ? undefined : decodeRecord(write.wanted);
  if (wanted !== undefined && "problem" in wanted) return rejected(`it ${wanted.problem}`);
  const problem = wanted === undefined ? undefined : unwritable(wanted.entry.content);
  if (problem !== undefined) return rejected(`it ${problem}`);
  // The store shows it in its own form afterwards.
  const after = wanted === undefined ? undefined : encodeRecord(wanted.entry);
  if (after !== undefined && "problem" in after) return rejected(`it ${after.problem}`);
  return { write, stored: { collection: { name: COLLECTION }, id, before: expected, after } };
}

export class KeyWriter {
  readonly #reading: KvReading;
  readonly #nonce: string;
  #names = 0;
  /** The service has MSETNX. */
  #hasSetAll = true;

  constructor(reading: KvReading, nonce: string) {
    this.#reading = reading;
    this.#nonce = nonce;
  }

  /** One outcome for each, in their order. */
  async apply(writes: readonly GuardedWrite[], signal: AbortSignal): Promise<readonly GuardedOutcome[]> {
    const outcomes: GuardedOutcome[] = writes.map(() => CHANGED);
    for (const round of rounds(writes)) {
      const steps: KeyWrite[] = [];
      for (const index of round) {
        const step = stepOf(writes[index] as GuardedWrite, index);
        if ("result" in step) outcomes[index] = step;
        else steps.push(step);
      }
      for (const [index, outcome] of await this.#steps(steps, signal)) outcomes[index] = outcome;
    }
    return outcomes;
  }

  /** Of different keys. */
  async #steps(steps: readonly KeyWrite[], signal: AbortSignal): Promise<Outcomes> {
    const outcomes: Outcomes = new Map();
    const large = steps.filter((step) => isLarge(step) && !keepsContent(step));
    const small = steps.filter((step) => !large.includes(step));
    const fresh = small.filter(isFreshString);
    const staying = fresh.filter(({ wanted }) => wanted.expiresAt === undefined);
    const ending = fresh.filter(({ wanted }) => wanted.expiresAt !== undefined);
    // Names and values that are no text are sent in another way, which would spoil it for the others.
    for (const isText of [true, false])
      for (const some of chunksOf(staying.filter((step) => isTextStep(step) === isText)))
        merge(outcomes, await this.#createAll(some, signal));
    merge(outcomes, await this.#createEach(ending, signal));
    merge(
      outcomes,
      await this.#guarded(
        small.filter((step) => !isFreshString(step)),
        signal,
      ),
    );
    for (const step of large) outcomes.set(step.index, await this.#built(step, signal));
    return outcomes;
  }

  /** All in one command, which creates all or none. */
  async #createAll(steps: readonly NewString[], signal: AbortSignal): Promise<Outcomes> {
    if (steps.length < 2 || !this.#hasSetAll) return await this.#createEach(steps, signal);
    const command: KvCommand = ["MSETNX", ...steps.flatMap(({ key, wanted }) => [key, wanted.content.value])];
    const sending = new Sending();
    const [reply] = await this.#reading.client.run([command], sending.options(signal));
    if (reply === 1) return new Map(steps.map(({ index }) => [index, DONE]));
    if (reply instanceof KvRefusal) {
      if (reply.code === "NOCOMMAND") this.#hasSetAll = false;
      return await this.#createEach(steps, signal);
    }
    // Some are there: perhaps all of them, put there by this very command, whose answer was lost.
    const outcomes: Outcomes = await this.#compared(steps, sending, signal);
    const absent = steps.filter(({ index }) => !outcomes.has(index));
    if (absent.length === steps.length) {
      // They came and went; there is no end to that.
      merge(outcomes, await this.#createEach(absent, signal));
    } else merge(outcomes, await this.#createAll(absent, signal));
    return outcomes;
  }

  /** One command each. */
  async #createEach(steps: readonly NewString[], signal: AbortSignal): Promise<Outcomes> {
    const commands = steps.map(({ key, wanted }): KvCommand => {
      const end = wanted.expiresAt === undefined ? [] : ["PXAT", wanted.expiresAt];
      return ["SET", key, wanted.content.value, "NX", ...end];
    });
    const sending = new Sending();
    const replies = await this.#reading.client.run(commands, sending.options(signal));
    const outcomes: Outcomes = new Map();
    const there: NewString[] = [];
    for (const [at, step] of steps.entries()) {
      const reply = replies[at];
      if (reply instanceof KvRefusal) outcomes.set(step.index, refused(reply));
      else if (reply === null) there.push(step);
      else outcomes.set(step.index, DONE);
    }
    merge(outcomes, await this.#compared(there, sending, signal));
    // What was there and is gone again is a conflict: it was not absent when it was to be created.
    for (const { index } of there) if (!outcomes.has(index)) outcomes.set(index, CHANGED);
    return outcomes;
  }

  /** Whether those that are there are as they are wanted; those that are not there have no outcome. */
  async #compared(steps: readonly NewString[], { found }: Sending, signal: AbortSignal): Promise<Outcomes> {
    const outcomes: Outcomes = new Map();
    const byKey = new Map(steps.map((step) => [nameOf(step.key), step]));
    const keys = steps.map(({ key }) => ({ key, type: undefined }));
    for await (const some of readKeys(this.#reading, keys, false, signal))
      for (const one of some) {
        const step = byKey.get(nameOf(one.key));
        if (step === undefined) continue;
        outcomes.set(step.index, "content" in one && isSame(one, step.wanted) ? found : CHANGED);
      }
    return outcomes;
  }

  /** Each in a step of the server's own. */
  async #guarded(steps: readonly KeyWrite[], signal: AbortSignal): Promise<Outcomes> {
    const outcomes: Outcomes = new Map();
    if (steps.length === 0) return outcomes;
    const { expiries, scripts } = this.#reading;
    const script = guardScript(await expiries.command(signal));
    const calls = steps.map((step) => this.#callOf(step));
    const sending = new Sending();
    const replies = await scripts.run(script, calls, {
      ...sending.options(signal),
      bills: steps.reduce((sum, step) => sum + mostCommands(step), 0),
      billed: commandsIn,
    });
    for (const [at, { index }] of steps.entries()) outcomes.set(index, this.#outcomeOf(replies[at], sending));
    return outcomes;
  }

  /** Put together first; what it was built of is thrown away where it does not come into its place. */
  async #built(step: KeyWrite, signal: AbortSignal): Promise<GuardedOutcome> {
    const { client, scripts, expiries } = this.#reading;
    const { wanted } = step;
    if (wanted === undefined) return (await this.#guarded([step], signal)).get(step.index) ?? CHANGED;
    const name = this.#freeName();
    try {
      const code = await build(this.#reading, name, wanted.content, signal);
      if (code !== undefined) return refused(new KvRefusal(code));
      const script = guardScript(await expiries.command(signal));
      const args = conditions(step, "build");
      const sending = new Sending();
      const options = { ...sending.options(signal), bills: 7, billed: commandsIn };
      const [reply] = await scripts.run(script, [{ keys: [step.key, name], args }], options);
      return this.#outcomeOf(reply, sending);
    } finally {
      const own = { signal: AbortSignal.timeout(CLEAN_UP_MS), doing: DOING, repeatable: true } as const;
      // It would go by itself after some minutes.
      await client.run([["UNLINK", name]], { ...own, unlimited: true }).catch(() => undefined);
    }
  }

  #callOf(step: KeyWrite): ScriptCall {
    const { key, expected, wanted } = step;
    const how = keepsContent(step) ? "end" : "set";
    const parts = wanted === undefined || how === "end" ? [] : partsOf(wanted.content);
    const needsName = wanted !== undefined && how === "set" && wanted.content.type !== "string";
    const isDirect =
      expected === undefined && wanted?.content.type !== "stream" && parts.length < DIRECT_PARTS;
    const keys = needsName && !isDirect ? [key, this.#freeName()] : [key];
    return { keys, args: [...conditions(step, how), ...parts] };
  }

  #freeName(): string {
    return `${BUILD_PREFIX}${this.#nonce}:${this.#names++}`;
  }

  #outcomeOf(reply: KvReply | KvRefusal | undefined, { found }: Sending): GuardedOutcome {
    if (reply instanceof KvRefusal) return refused(reply);
    const [result] = Array.isArray(reply) ? (reply as readonly KvReply[]) : [];
    if (result === WRITTEN) return DONE;
    if (result === PRESENT) return found;
    if (result === CONFLICT) return CHANGED;
    if (result === UNBUILT) return rejected("it did not arrive whole: does another program remove keys?");
    throw this.#reading.unexpected(DOING, reply);
  }
}

type Outcomes = Map<number, GuardedOutcome>;

/** Commands on their way, which may be sent more than once. */
class Sending {
  #isRepeated = false;

  options(signal: AbortSignal): KvRunOptions {
    const onRepeat = (): void => {
      this.#isRepeated = true;
    };
    return { signal, doing: DOING, repeatable: true, onRepeat };
  }

  /** The outcome where a key is found as it is wanted: the commands may have put it there before, where their answer was lost. */
  get found(): GuardedOutcome {
    return this.#isRepeated ? DONE : BY_OTHER;
  }
}

/** Milliseconds. */
const CLEAN_UP_MS = 5_000;

/** The script writes so few arguments at once. */
const DIRECT_PARTS = 6_900;

/** What `guard-script.ts` is told before the parts. */
function conditions({ expected, wanted }: KeyWrite, how: "set" | "build" | "end"): readonly ContentPart[] {
  // Where only the text of a string changes its time of expiry is left as it is, whoever has changed it: one command less.
  const keepsEnd =
    how === "set" &&
    expected?.content.type === "string" &&
    wanted?.content.type === "string" &&
    expected.expiresAt === wanted.expiresAt;
  return [...sideOf(expected, keepsEnd), ...sideOf(wanted, keepsEnd), how];
}

function sideOf(entry: Entry | undefined, keepsEnd: boolean): readonly string[] {
  if (entry === undefined) return ["none", "", ""];
  const end = keepsEnd ? "" : String(entry.expiresAt ?? -1);
  return [entry.content.type, contentDigest(entry.content), end];
}

/** At most the time of expiry changes. */
function keepsContent({ expected, wanted }: KeyWrite): boolean {
  return expected !== undefined && wanted !== undefined && isSameContent(expected, wanted);
}

/** The most commands that the script is billed for. */
function mostCommands({ expected, wanted }: KeyWrite): number {
  const looks = 4;
  if (wanted === undefined) return looks;
  if (wanted.content.type === "stream") return looks + wanted.content.value.entries.length + 5;
  return expected?.content.type === "string" && wanted.content.type === "string" ? looks : looks + 4;
}

/** The script says what it ran; calling it is one more. */
function commandsIn(reply: KvReply | KvRefusal): number | undefined {
  const calls = Array.isArray(reply) ? reply[1] : undefined;
  return typeof calls === "number" ? calls + 1 : undefined;
}

function refused({ code }: KvRefusal): GuardedOutcome {
  if (code === "TOOLARGE") return rejected("the store takes nothing that large at once");
  if (code === "KEYTOOLONG") return rejected("the store takes no key with a name that long");
  return rejected(`the store refused it (${code})`);
}

function stepOf({ id, expected, wanted }: GuardedWrite, index: number): KeyWrite | GuardedOutcome {
  const key = keyOfId(id);
  if (key === undefined || isOwnKey(key)) return rejected("it is no id that a key has");
  const before = entryOf(expected);
  const after = entryOf(wanted);
  if (before === "unreadable" || after === "unreadable") return rejected("it cannot be read");
  return { index, key, expected: before, wanted: after };
}

function entryOf(doc: Doc | undefined): Entry | undefined | "unreadable" {
  if (doc === undefined) return undefined;
  const found = decodeRecord(doc);
  return "problem" in found ? "unreadable" : found.entry;
}

function isLarge({ wanted }: KeyWrite): boolean {
  return wanted !== undefined && sizeOfParts(partsOf(wanted.content)) > PIECE_BYTES;
}

function isFreshString(step: KeyWrite): step is NewString {
  return step.expected === undefined && step.wanted?.content.type === "string";
}

function isTextStep({ key, wanted }: NewString): boolean {
  return isUtf8(key) && isUtf8(wanted.content.value);
}

function isSame(a: Entry, b: Entry): boolean {
  return a.expiresAt === b.expiresAt && isSameContent(a, b);
}

function isSameContent({ content: a }: Entry, { content: b }: Entry): boolean {
  return a.type === b.type && contentDigest(a) === contentDigest(b);
}

function nameOf(key: Uint8Array): string {
  return Buffer.from(key).toString("latin1");
}

function merge(outcomes: Outcomes, more: Outcomes): void {
  for (const [index, outcome] of more) outcomes.set(index, outcome);
}

/** Places of writes in parts without two of one key. */
function rounds(writes: readonly GuardedWrite[]): readonly (readonly number[])[] {
  const found: number[][] = [];
  const counts = new Map<string, number>();
  for (const [index, { id }] of writes.entries()) {
    const round = counts.get(id.key) ?? 0;
    counts.set(id.key, round + 1);
    found[round] ??= [];
    found[round].push(index);
  }
  return found;
}

const TOGETHER = { keys: 500, bytes: PIECE_BYTES };

function* chunksOf(steps: readonly NewString[]): Generator<readonly NewString[]> {
  let some: NewString[] = [];
  let bytes = 0;
  for (const step of steps) {
    const size = step.key.length + step.wanted.content.value.length;
    if (some.length > 0 && (some.length >= TOGETHER.keys || bytes + size > TOGETHER.bytes)) {
      yield some;
      [some, bytes] = [[], 0];
    }
    some.push(step);
    bytes += size;
  }
  if (some.length > 0) yield some;
}
