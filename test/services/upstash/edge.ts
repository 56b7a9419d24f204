import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import { setTimeout as wait } from "node:timers/promises";
import { type Answer, bodyOf, deliver, reset } from "../http/delivery.ts";
import { FaultScript } from "../http/faults.ts";
import { RedisFailure } from "../redis/resp.ts";
import { answerOf, texts } from "./answers.ts";
import { nameOf } from "./commands.ts";
import type { Database, UpstashSettings } from "./database.ts";
import type { Effect, Incoming, Recorded } from "./faults.ts";
import { itemText } from "./reply.ts";
import { type Call, parametersOf, pathOf, Refused, readCall } from "./request.ts";

export interface Tokens {
  readonly standard: string;
  readonly readOnly: string;
}

/** Upstash has another format, too, which nothing here asks for. */
const NO_FORMAT = "ERR this edge answers in JSON only";

const SYNC_TOKEN = "upstash-sync-token";

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** Answers requests as Upstash's REST edge does, or lets happen what a fault wants instead. */
export class Edge {
  readonly faults = new FaultScript<Incoming, Effect>();
  readonly requests: Recorded[] = [];
  readonly #database: Database;
  readonly #settings: UpstashSettings;
  readonly #tokens: Tokens;

  constructor(database: Database, settings: UpstashSettings, tokens: Tokens) {
    this.#database = database;
    this.#settings = settings;
    this.#tokens = tokens;
  }

  async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await bodyOf(request);
    const call = this.#understood(request, body);
    const recorded = this.#record(
      request,
      body.length,
      call instanceof Refused ? [] : call.commands.map(nameOf),
    );
    this.requests.push(recorded);
    const incoming = { ...recorded, call: call instanceof Refused ? undefined : call };
    const effect = this.faults.take(incoming) ?? {};
    if (effect.stall === "before") return;
    if (effect.reset === "before") return reset(response);
    await effect.before?.(incoming);
    if (effect.delay !== undefined) await wait(effect.delay);
    const answer = effect.answer ?? (await this.#answer(request.headers, recorded, call, effect));
    if (effect.reset === "lost-reply") return reset(response);
    recorded.status = answer.status;
    recorded.sent = await deliver(response, answer, effect);
  }

  /** What a request asks for, or why that is not carried out, whoever asks. */
  #understood(request: IncomingMessage, body: Buffer): Call | Refused {
    const { maxRequestBytes } = this.#settings;
    try {
      if (body.length > maxRequestBytes)
        throw new Refused(400, texts.requestSize(maxRequestBytes, body.length));
      return readCall(request, body);
    } catch (error) {
      if (error instanceof Refused) return error;
      throw error;
    }
  }

  async #answer(
    headers: IncomingHttpHeaders,
    recorded: Mutable<Recorded>,
    call: Call | Refused,
    effect: Effect,
  ): Promise<Answer> {
    const { role } = recorded;
    try {
      if (role === undefined) throw new Refused(401, texts.wrongToken());
      if (call instanceof Refused) throw call;
      if ((headers["upstash-response-format"] ?? "json") !== "json") throw new Refused(400, NO_FORMAT);
      const seen = positionOf(String(headers[SYNC_TOKEN] ?? ""));
      const stale = (effect.stale ?? false) !== false && seen <= this.#database.replicaPosition;
      const replies = await this.#database.run(call, {
        ...{ role, effect, stale },
        bill: (commands) => {
          recorded.billed += commands;
        },
      });
      const base64 = headers["upstash-encoding"] === "base64";
      const items = replies.map((reply) => itemText(reply, base64));
      const failed = call.kind === "command" && replies[0] instanceof RedisFailure;
      const body = call.kind === "command" ? (items[0] ?? "") : `[${items.join(",")}]`;
      const isUnaware = stale && effect.stale === "unaware" && this.#database.isReplicas(call);
      const position = isUnaware ? this.#database.replicaPosition : this.#database.position;
      return answerOf(failed ? 400 : 200, body, { "Upstash-Sync-Token": tokenOf(position) });
    } catch (error) {
      if (error instanceof Refused) return error.answer;
      throw error;
    }
  }

  #record(
    { method = "GET", url = "/", headers }: IncomingMessage,
    received: number,
    commands: readonly string[],
  ): Mutable<Recorded> {
    const shown = Object.entries(headers).filter(([name]) => name !== "authorization");
    return {
      ...{ method, path: pathOf(url), commands, role: this.#roleOf(headers, url), received },
      headers: Object.fromEntries(shown.map(([name, value]) => [name, String(value)])),
      ...{ sent: 0, status: undefined, billed: 0 },
    };
  }

  #roleOf({ authorization }: IncomingHttpHeaders, url: string): Recorded["role"] {
    const [, bearer] = /^bearer (.+)$/i.exec(authorization ?? "") ?? [];
    const token = bearer ?? parametersOf(url).get("_token");
    if (token === this.#tokens.standard) return "standard";
    return token === this.#tokens.readOnly ? "read-only" : undefined;
  }
}

/** Clients hand a token back as it is: what is in it is none of their business. */
function tokenOf(position: number): string {
  return Buffer.from(`moment ${position}`).toString("base64url");
}

function positionOf(token: string): number {
  const [, position] = /^moment (\d+)$/.exec(Buffer.from(token, "base64url").toString("utf8")) ?? [];
  return Number(position ?? 0);
}
