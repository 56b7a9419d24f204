/** A KV store over Upstash's REST API: commands in, bytes out. */
import type { StoreRole } from "../../connector.ts";
import { DEFAULT_LIMITS, type ExchangeLimits, exchange, timeOf } from "../../http/exchange.ts";
import { Fault } from "../../http/fault.ts";
import { repeated } from "../../http/repeated.ts";
import { CLOCK, type Clock } from "../../wrappers/clock.ts";
import { Throttle } from "../../wrappers/rate-limit.ts";
import { type RetryPolicy, retryPolicy } from "../../wrappers/retry.ts";
import { ServerPause } from "../../wrappers/server-pause.ts";
import { itemsOf, type KvItem } from "./answer.ts";
import type { TextCommand } from "./binary.ts";
import { CommandBudget, type Reservation } from "./command-budget.ts";
import { type KvClient, type KvCommand, KvRefusal, type KvReply, type KvRunOptions } from "./commands.ts";
import { failure, type KvFailurePlace, patienceFor, ranNothing, toDualsyncError } from "./failures.ts";
import { billedOf, codeIn, commandCodeOf, storeRefusalIn } from "./refusals.ts";
import { cut, halves, LARGEST_REQUEST, partOf, type RequestPart } from "./requests.ts";
import { type KvPath, throughSdk } from "./sdk.ts";
import { SyncToken } from "./sync-token.ts";

export interface KvClientOptions {
  /** Without a slash at its end. Nothing is ever sent elsewhere. */
  readonly url: string;
  readonly token: string;
  /** Host and path, for people. */
  readonly label: string;
  readonly role: StoreRole;
  /** How often a failed request is sent again. */
  readonly retries?: number | undefined;
  /** In place of what `retries` says. */
  readonly policy?: RetryPolicy | undefined;
  readonly clock?: Clock | undefined;
  readonly limits?: Partial<ExchangeLimits> | undefined;
}

const NOT_BILLED = new Set(["AUTH", "INFO", "PING", "QUIT", "COMMAND"]);

/** Its answer shows whether texts come in base64. It is not billed. */
const PROOF: TextCommand = ["PING"];
const PROVED = Buffer.from("PONG");

/** What the calls of a client share. */
interface KvWire {
  readonly options: KvClientOptions;
  readonly policy: RetryPolicy;
  readonly clock: Clock;
  readonly limits: ExchangeLimits;
  readonly pause: ServerPause;
  readonly budget: CommandBudget;
  readonly sync: SyncToken;
  /** It was seen that texts come in base64. */
  isProved: boolean;
  throttle: Throttle | undefined;
  time: Date | undefined;
}

/** One call. */
interface Running extends KvRunOptions {
  readonly wire: KvWire;
  readonly atomic: boolean;
  readonly place: KvFailurePlace;
  readonly reservation: Reservation;
}

type KvResult = KvReply | KvRefusal;

/** Opens nothing: the first call connects. */
export function openKvClient(options: KvClientOptions): KvClient {
  const { label, policy = retryPolicy(options.retries), clock = CLOCK } = options;
  const wire: KvWire = {
    ...{
      options,
      policy,
      clock,
      pause: new ServerPause(clock),
      budget: new CommandBudget(),
      sync: new SyncToken(),
    },
    limits: { ...DEFAULT_LIMITS, ...options.limits },
    ...{ isProved: false, throttle: undefined, time: undefined },
  };
  return {
    label,
    get time() {
      return wire.time;
    },
    get spent() {
      return wire.budget.spent;
    },
    get left() {
      return wire.budget.left;
    },
    limit: (commands) => wire.budget.limit(commands),
    pace: (commandsPerSecond) => {
      wire.throttle =
        commandsPerSecond === undefined
          ? undefined
          : new Throttle({ documentsPerSecond: commandsPerSecond }, clock);
    },
    run: (commands, how) => call(wire, commands, how, false),
    transaction: (commands, how) => call(wire, commands, how, true),
    close: async () => undefined,
  };
}

async function call(
  wire: KvWire,
  commands: readonly KvCommand[],
  how: KvRunOptions,
  atomic: boolean,
): Promise<readonly KvResult[]> {
  const { role, label } = wire.options;
  const place = { role, label, doing: how.doing };
  try {
    how.signal.throwIfAborted();
    if (commands.length === 0) return [];
    const bills = billsOf(commands, how.bills);
    const parts = atomic ? [partOf(commands, bills)] : cut(commands, bills, wire.throttle?.batchSize(1));
    const weight = parts.reduce((sum, part) => sum + part.weight, 0);
    const reservation = wire.budget.reserve(weight, how.unlimited === true);
    try {
      return await inTurn(parts, { ...how, wire, atomic, place, reservation });
    } finally {
      wire.budget.release(reservation);
    }
  } catch (error) {
    if (how.signal.aborted) throw how.signal.reason;
    throw toDualsyncError(error, place);
  }
}

/** What each command is billed: a part of what the caller knows of all of them, or one each. */
function billsOf(commands: readonly KvCommand[], bills: number | undefined): number[] {
  if (bills !== undefined) return commands.map(() => bills / commands.length);
  return commands.map(([name]) => (NOT_BILLED.has(name.toUpperCase()) ? 0 : 1));
}

async function inTurn(parts: readonly RequestPart[], running: Running): Promise<KvResult[]> {
  const results: KvResult[] = [];
  for (const part of parts) {
    try {
      for (const result of await carriedOut(part, running)) results.push(result);
    } catch (error) {
      if (running.repeatable || results.length === 0 || !(error instanceof Fault)) throw error;
      throw failure("done-in-part", running.place, error);
    }
  }
  return results;
}

async function carriedOut(part: RequestPart, running: Running): Promise<readonly KvResult[]> {
  const { policy, clock, pause, throttle } = running.wire;
  const { signal, atomic } = running;
  const ready = async (): Promise<void> => throttle?.take(part.weight, 0, signal);
  try {
    let mayHaveRun = false;
    const items = await repeated({ policy, clock, pause, patienceFor, ready }, signal, async () => {
      if (mayHaveRun) running.onRepeat?.();
      try {
        return await attempt(part, running);
      } catch (error) {
        mayHaveRun ||= !(error instanceof Fault && ranNothing(error));
        throw error;
      }
    });
    const results = items.map((item) => ("error" in item ? new KvRefusal(codeIn(item.error)) : item.result));
    refundUnbilled(part, results, running);
    return results;
  } catch (error) {
    const code = error instanceof Fault ? commandCodeOf(error) : undefined;
    if (code === "TOOLARGE" && !atomic && part.commands.length > 1) return inTurn(halves(part), running);
    // A transaction is discarded for one of its commands.
    if (code === "TOOLARGE" || (code !== undefined && atomic))
      return part.commands.map(() => new KvRefusal(code));
    throw error;
  }
}

/** Takes off what the replies show not to have been billed. */
function refundUnbilled(
  { bills }: RequestPart,
  results: readonly KvResult[],
  { wire, billed }: Running,
): void {
  if (billed === undefined) return;
  for (const [at, result] of results.entries()) {
    const counted = bills[at] ?? 0;
    wire.budget.refund(counted - (billed(result) ?? counted));
  }
}

/** One item a command. */
async function attempt(part: RequestPart, running: Running): Promise<readonly KvItem[]> {
  const { wire, repeatable, place, atomic } = running;
  // In a transaction it could be what all is refused for.
  const proof = wire.isProved || atomic ? [] : [PROOF];
  const sent = [...part.carried.map(({ command }) => command), ...proof];
  const answers = await throughSdk(sent, atomic, (path, commands) =>
    post(path, commands, part.weight, running),
  ).catch((error: unknown) => {
    const isLost = error instanceof Fault && error.reason !== "garbled" && !ranNothing(error);
    throw isLost && !repeatable ? failure("answer-lost", place, error) : error;
  });
  if (proof.length > 0 && isProof(answers.at(-1))) wire.isProved = true;
  const items = itemsOfCommands(part, answers, wire.budget);
  const refusals = items.map((item) => ("error" in item ? storeRefusalIn(item.error) : undefined));
  const code = refusals.find((refusal) => refusal !== undefined);
  if (code === undefined) return items;
  const fault = new Fault({ reason: "status", status: 200, code });
  throw repeatable || !refusals.includes(undefined) ? fault : failure("done-in-part", place, fault);
}

/** False: it was refused, and shows nothing. */
function isProof(answer: KvItem | undefined): boolean {
  if (answer === undefined || "error" in answer) return false;
  if (Buffer.isBuffer(answer.result) && answer.result.equals(PROVED)) return true;
  throw new Fault({ reason: "garbled", status: 200 });
}

/** Takes off what was refused without being billed. */
function itemsOfCommands(
  part: RequestPart,
  answers: readonly KvItem[],
  budget: CommandBudget,
): readonly KvItem[] {
  const items: KvItem[] = [];
  for (const [place, { items: read, extra }] of part.carried.entries()) {
    const answer = answers[place];
    const own = answer === undefined ? undefined : read(answer);
    if (answer === undefined || own === undefined) throw new Fault({ reason: "garbled", status: 200 });
    if ("error" in answer) budget.refund(extra - billedOf(answer.error, extra));
    for (const item of own) {
      const counted = part.bills[items.length] ?? 0;
      if ("error" in item) budget.refund(counted - billedOf(item.error, counted));
      items.push(item);
    }
  }
  return items;
}

/** Sends one request, once. */
async function post(
  path: KvPath,
  commands: readonly TextCommand[],
  weight: number,
  { wire, reservation, signal }: Running,
): Promise<readonly KvItem[]> {
  const { options, budget, sync, limits, pause } = wire;
  const body = JSON.stringify(commands);
  const size = Buffer.byteLength(body);
  if (size > LARGEST_REQUEST) throw new Fault({ reason: "status", status: 413, code: "TOOLARGE" });
  const headers = {
    authorization: `Bearer ${options.token}`,
    "content-type": "application/json",
    "upstash-encoding": "base64",
    ...(sync.held !== undefined && { "upstash-sync-token": sync.held }),
  };
  budget.spend(reservation, weight);
  budget.carried(size);
  const answered = sync.sent(commands);
  try {
    const url = new URL(`${options.url}/${path}`);
    const answer = await exchange(url, { method: "POST", headers, body }, limits, signal);
    wire.time = timeOf(answer) ?? wire.time;
    budget.carried(answer.body.length);
    answered(answer.headers.get("upstash-sync-token"));
    return itemsOf(answer, commands.length);
  } catch (error) {
    if (error instanceof Fault) {
      if (ranNothing(error)) budget.refund(weight);
      pause.ask(error.wait ?? 0, error);
    }
    throw error;
  }
}
