import { isUtf8 } from "node:buffer";
import type { IncomingMessage, ServerResponse } from "node:http";
import { setTimeout as wait } from "node:timers/promises";
import { type Answer, bodyOf, compressed, deliver, reset } from "../http/delivery.ts";
import { FaultScript } from "../http/faults.ts";
import { htmlFailure } from "./answer/answers.ts";
import { errorAnswer, PostgrestError } from "./answer/errors.ts";
import { describe, type IntegerFormats } from "./answer/openapi.ts";
import { readTable } from "./answer/read.ts";
import { callFunction } from "./answer/rpc.ts";
import { deleteRows, insertRows, updateRows } from "./answer/write.ts";
import type { Effect, Recorded } from "./faults.ts";
import { readPreferences } from "./request/preferences.ts";
import { acceptedType, checkProfile, type Exchange } from "./request/request.ts";
import { refusal, roleOf } from "./roles.ts";
import type { SchemaCache } from "./schema.ts";
import type { Sessions } from "./session.ts";

/** What can also be changed while the gateway runs. */
export interface PostgrestSettings {
  /** Most rows of one answer to a reading request. Default: no cap; hosted projects have 1000. */
  maxRows: number | undefined;
  /** Longer bodies of requests are refused. Default: none is. */
  maxBodyBytes: number | undefined;
  /** How long a statement of the service role may take. Default: as long as it needs. */
  statementTimeoutMs: number | undefined;
  /** How the description names integers. Default: "postgres". */
  integerFormats: IntegerFormats;
  /** Whether it describes its tables at its root. Default: yes. */
  described: boolean;
  /** Refuses DELETE and PATCH of whole tables, as the extension safeupdate does. Default: no. */
  safeUpdate: boolean;
  /** Whether bodies are sent with gzip to who accepts it. Default: no. */
  compress: boolean;
}

/** Longer addresses are refused as hosted gateways do. */
const LONGEST_TARGET = 16_000;

const VERBS = "OPTIONS,GET,HEAD,POST,PATCH,DELETE";

export class Gateway {
  schema: SchemaCache;
  readonly faults = new FaultScript<Recorded, Effect>();
  readonly requests: Recorded[] = [];
  readonly #sessions: Sessions;
  readonly #settings: PostgrestSettings;

  constructor(sessions: Sessions, settings: PostgrestSettings, schema: SchemaCache) {
    this.#sessions = sessions;
    this.#settings = settings;
    this.schema = schema;
  }

  /** Executes and answers one request, or lets happen what a fault wants instead. */
  async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await bodyOf(request);
    const recorded = record(request, body.length);
    this.requests.push(recorded);
    const effect = this.faults.take(recorded) ?? {};
    if (effect.stall === "before") return;
    if (effect.reset === "before") return reset(response);
    await effect.before?.(recorded);
    if (effect.delay !== undefined) await wait(effect.delay);
    const answer = effect.answer ?? (await this.#answer(request, recorded.role, body));
    if (effect.reset === "lost-reply") return reset(response);
    recorded.status = answer.status;
    const gzip = this.#settings.compress && /\bgzip\b/.test(String(request.headers["accept-encoding"]));
    recorded.sent = await deliver(response, gzip ? compressed(answer) : answer, effect);
  }

  async #answer(request: IncomingMessage, role: string | undefined, body: Buffer): Promise<Answer> {
    const { url: target = "/" } = request;
    try {
      if (target.length > LONGEST_TARGET) return htmlFailure(414);
      if (body.length > (this.#settings.maxBodyBytes ?? body.length)) return htmlFailure(413);
      if (role === undefined) return refusal(request.headers);
      if (!isUtf8(body)) throw new PostgrestError(400, "22021", 'invalid byte sequence for encoding "UTF8"');
      return await this.#route(this.#exchange(request, role, body.toString("utf8")));
    } catch (error) {
      return errorAnswer(error, role === "anon");
    }
  }

  #exchange({ method = "GET", headers, url = "/" }: IncomingMessage, role: string, body: string): Exchange {
    const { schema } = this;
    const { maxRows, statementTimeoutMs, safeUpdate } = this.#settings;
    const path = pathOf(url);
    if (path === undefined) throw invalidPath();
    checkProfile(headers, method, schema.schema);
    const preferences = readPreferences(headers, schema.timezones);
    const caller = {
      ...{ role, method, path, timezone: preferences.timezone },
      statementTimeoutMs: role === "anon" ? undefined : statementTimeoutMs,
    };
    return {
      ...{ method, path, headers, role, body, preferences, schema, maxRows, safeUpdate },
      parameters: new URLSearchParams(url.split(/\?(.*)/s)[1]),
      accept: acceptedType(headers, path),
      run: (transaction) => this.#sessions.run(caller, transaction),
    };
  }

  async #route(exchange: Exchange): Promise<Answer> {
    const { method, path } = exchange;
    const reading = method === "GET" || method === "HEAD";
    if (method === "OPTIONS") return { status: 200, headers: { Allow: VERBS }, body: "" };
    if (path === "/" && !this.#settings.described)
      throw new PostgrestError(404, "PGRST126", "Root endpoint metadata is disabled");
    if (path === "/" && reading) return describe(exchange, this.#settings.integerFormats);
    const [, rpc, segment = ""] = /^\/(rpc\/)?([^/]+)\/?$/.exec(path) ?? [];
    const name = decoded(segment);
    if (name === undefined || name === "") throw invalidPath();
    if (rpc !== undefined && (reading || method === "POST")) return callFunction(exchange, name);
    if (rpc !== undefined)
      throw new PostgrestError(405, "PGRST101", `Cannot use the ${method} method on RPC`);
    if (reading) return readTable(exchange, name);
    if (method === "POST") return insertRows(exchange, name);
    if (method === "PATCH") return updateRows(exchange, name);
    if (method === "DELETE") return deleteRows(exchange, name);
    throw new PostgrestError(405, "PGRST117", `Unsupported HTTP method: ${method}`);
  }
}

/** The path of a request below the gateway's own; undefined: it is not below. */
function pathOf(target: string): string | undefined {
  const [, path] = /^\/rest\/v1(\/[^?]*)?(?:\?|$)/.exec(target) ?? [undefined, undefined];
  return target.startsWith("/rest/v1") ? (path ?? "/") : undefined;
}

function decoded(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined;
  }
}

const KEY_HEADERS = ["apikey", "authorization"];

function record({ method = "GET", url: target = "/", headers }: IncomingMessage, received: number) {
  const shown = Object.entries(headers).filter(([name]) => !KEY_HEADERS.includes(name));
  const fields = { method, target, path: pathOf(target) ?? target, role: roleOf(headers), received };
  return {
    ...fields,
    headers: Object.fromEntries(shown.map(([name, value]) => [name, String(value)])),
    sent: 0,
    status: undefined as number | undefined,
  };
}

function invalidPath(): PostgrestError {
  return new PostgrestError(404, "PGRST125", "Invalid path specified in request URL");
}
