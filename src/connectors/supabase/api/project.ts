/** A Supabase project as reads and writes see it: tables and texts. Answers are exact; failures are DualsyncErrors. */
import type { SupabaseClient } from "@supabase/supabase-js";
import type { StoreRole } from "../../connector.ts";
import { DEFAULT_LIMITS, type ExchangeLimits } from "../../http/exchange.ts";
import { DEFAULT_RETRIES, type RetryPolicy } from "../../wrappers/retry.ts";
import { ServerPause } from "../../wrappers/server-pause.ts";
import { createSupabase } from "./client.ts";
import { type Condition, columnText, parameterOf, type SelectedColumn, selectText } from "./condition.ts";
import { type Access, type SupabaseFailurePlace, toDualsyncError } from "./failures.ts";
import { refusalCode } from "./fault.ts";
import { type ExactText, RowTexts } from "./texts.ts";
import { QUERY, transport } from "./transport.ts";

export interface ProjectOptions {
  /** As https://name.supabase.co, without a slash at its end. */
  readonly url: string;
  /** A secret or service_role key. */
  readonly key: string;
  /** Host and path, for people. */
  readonly label: string;
  readonly role: StoreRole;
  /** `public` without it. */
  readonly schema?: string;
  readonly policy?: RetryPolicy;
  /** Shared by all that is sent to this server. */
  readonly pause?: ServerPause;
  readonly limits?: Partial<ExchangeLimits>;
}

export interface RowsQuery {
  /** None: all columns. */
  readonly select: readonly SelectedColumn[];
  /** All are to hold; none: every row. */
  readonly where?: readonly Condition[];
  /** Columns, ascending where nothing else is said. */
  readonly order?: readonly string[];
  readonly descending?: boolean;
  /** The server may give fewer: it has a bound of its own. */
  readonly limit: number;
  readonly offset?: number;
}

export interface UpsertRows {
  /** JSON text of an array of rows, sent as it is. */
  readonly text: string;
  /** Every column that the rows have; a column that a row lacks becomes null. */
  readonly columns: readonly string[];
  /** Columns of a unique index that show whether a row exists. */
  readonly onConflict: readonly string[];
  /** Leave rows that are there as they are. */
  readonly ignoreDuplicates?: boolean;
}

export interface RowsAndCount {
  readonly answer: ExactText;
  /** Exact. */
  readonly count: number;
}

/** Every rejection is a DualsyncError, or the signal's reason. `isTooMuch`, `isOfRows` and `refusalCode` of fault.ts
 * decides what may be done about one. */
export interface Project {
  readonly role: StoreRole;
  readonly label: string;
  readonly schema: string;
  /** JSON text of an array of rows, exactly as sent, timestamps in UTC. Fewer than `limit` do not mean the end. */
  rows(table: string, query: RowsQuery, signal: AbortSignal): Promise<ExactText>;
  /** Besides, how many rows fulfil the conditions, counted with the reading of those that are given. */
  rowsAndCount(table: string, query: RowsQuery, signal: AbortSignal): Promise<RowsAndCount>;
  /** Exact, never estimated. `column` may be any that can be read. */
  count(table: string, column: string, where: readonly Condition[], signal: AbortSignal): Promise<number>;
  /**
   * Resolves, once it is done, with the number of rows that the server wrote: all of the batch unless triggers or
   * `ignoreDuplicates` left some out. With the latter a row counts as left out, too, when an earlier try had written it
   * and its answer was lost.
   */
  upsert(table: string, rows: UpsertRows, signal: AbortSignal): Promise<number>;
  /**
   * Deletes the rows that match; if more than `atMost` do, none. Resolves with the number of those that were there: not
   * of those that an earlier try deleted whose answer was lost.
   */
  remove(table: string, where: readonly Condition[], atMost: number, signal: AbortSignal): Promise<number>;
  /** The JSON text of what a function answers to arguments given as JSON text; undefined: there is no such function. */
  rpc(name: string, argumentsText: string, signal: AbortSignal): Promise<string | undefined>;
  /** The time of the last answer, by the project's clock; undefined where it did not say. */
  time(): Date | undefined;
  /** The project's own description of its tables, parsed and not checked. */
  openapi(signal: AbortSignal): Promise<unknown>;
}

/** Prefer of every read. */
const READ = "timezone=UTC";
const COUNT = "count=exact";

/** What the calls share. */
interface Wire {
  readonly client: SupabaseClient;
  readonly send: typeof fetch;
  readonly base: string;
  readonly schema: string;
  readonly texts: RowTexts;
  place(doing: string, access: Access, table?: string): SupabaseFailurePlace;
}

/** Opens nothing: the first call connects. */
export async function openProject(options: ProjectOptions): Promise<Project> {
  const { url, key, label, role, schema = "public", policy = DEFAULT_RETRIES } = options;
  const base = `${url}/rest/v1`;
  const texts = new RowTexts();
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const send = transport({ base, key, policy, pause: options.pause ?? new ServerPause(), limits, texts });
  const client = await createSupabase(url, key, schema, send);
  const place: Wire["place"] = (doing, access, table) => ({
    role,
    label,
    schema,
    doing,
    access,
    table,
  });
  const wire: Wire = { client, send, base, schema, texts, place };
  return { role, label, schema, time: () => texts.time, ...reads(wire), ...writes(wire), ...rest(wire) };
}

function reads({ client, texts, place }: Wire): Pick<Project, "rows" | "rowsAndCount" | "count"> {
  const read = (table: string, query: RowsQuery, prefer: string, signal: AbortSignal): Promise<Finished> => {
    let request = client.from(pathPart(table)).select("*").limit(query.limit);
    for (const condition of query.where ?? []) request = where(request, condition);
    const ascending = query.descending !== true;
    for (const column of query.order ?? []) request = request.order(columnText(column), { ascending });
    if (query.offset !== undefined) request = request.range(query.offset, query.offset + query.limit - 1);
    const chosen = query.select.length === 0 ? {} : { select: selectText(query.select) };
    return finish(request, prefer, chosen, signal);
  };
  return {
    rows: (table, query, signal) =>
      ask(place(`read ${table}`, "read", table), signal, async () => {
        const { data } = await read(table, query, READ, signal);
        return texts.take(data);
      }),
    rowsAndCount: (table, query, signal) =>
      ask(place(`read and count ${table}`, "read", table), signal, async () => {
        const { data, count } = await read(table, query, `${READ}, ${COUNT}`, signal);
        return { answer: texts.take(data), count: exactCount(count) };
      }),
    count: (table, column, conditions, signal) =>
      ask(place(`count ${table}`, "read", table), signal, async () => {
        // HEAD would do, but refuses without saying why. Without a row asked for there is no total.
        let request = client.from(pathPart(table)).select("*").limit(1);
        for (const condition of conditions) request = where(request, condition);
        const { data, count } = await finish(request, COUNT, { select: columnText(column) }, signal);
        texts.take(data); // else it would be kept for ever
        return exactCount(count);
      }),
  };
}

function writes({ client, place }: Wire): Pick<Project, "upsert" | "remove"> {
  return {
    upsert: (table, rows, signal) =>
      ask(place(`write ${table}`, "write", table), signal, async () => {
        const { onConflict, columns, ignoreDuplicates = false } = rows;
        if (onConflict.length === 0) throw new Error("an upsert without a key would insert rows again");
        const request = client.from(pathPart(table)).upsert(rows.text as never);
        const resolution = `resolution=${ignoreDuplicates ? "ignore" : "merge"}-duplicates`;
        const parameters = { on_conflict: columnList(onConflict), columns: columnList(columns) };
        const prefer = `${resolution}, return=minimal, ${COUNT}`;
        const { count } = await finish(request, prefer, parameters, signal);
        return exactCount(count);
      }),
    remove: (table, conditions, atMost, signal) =>
      ask(place(`delete from ${table}`, "write", table), signal, async () => {
        if (conditions.length === 0) throw new Error("a deletion without a condition would delete every row");
        let request = client.from(pathPart(table)).delete();
        for (const condition of conditions) request = where(request, condition);
        const prefer = `handling=strict, max-affected=${atMost}, return=minimal, ${COUNT}`;
        const { count } = await finish(request, prefer, {}, signal);
        return exactCount(count);
      }),
  };
}

function rest({ client, send, base, schema, texts, place }: Wire): Pick<Project, "rpc" | "openapi"> {
  return {
    rpc: (name, argumentsText, signal) =>
      ask(place(`call the function ${name}`, "read"), signal, async () => {
        try {
          const request = client.rpc(pathPart(name), argumentsText as never);
          const { data } = await finish(request, READ, {}, signal);
          return data === null ? "null" : texts.take(data).text;
        } catch (error) {
          if (refusalCode(error) === "PGRST202") return undefined;
          throw error;
        }
      }),
    // The SDK has no call for it.
    openapi: (signal) =>
      ask(place("read the list of tables", "list"), signal, async () => {
        const headers = { accept: "application/openapi+json", "accept-profile": schema };
        const response = await send(`${base}/`, { headers, signal });
        const text = texts.take(await response.json()).text;
        return JSON.parse(text) as unknown;
      }),
  };
}

async function ask<T>(place: SupabaseFailurePlace, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    throw toDualsyncError(error, place);
  }
}

/** What is used of the SDK's builders here, whose types follow a schema that is not known. */
interface Builder<Self> {
  filter(column: string, operator: string, value: string): Self;
  or(filters: string): Self;
}

function where<B extends Builder<B>>(request: B, condition: Condition): B {
  const [name, value] = parameterOf(condition);
  const dot = value.indexOf(".");
  if ("any" in condition) return request.or(value.slice(1, -1));
  if ("all" in condition) return request.or(`and${value}`);
  return request.filter(name, value.slice(0, dot), value.slice(dot + 1));
}

interface Finished {
  readonly data: unknown;
  readonly count: number | null;
}

interface Request {
  setHeader(name: string, value: string): this;
  abortSignal(signal: AbortSignal): this;
  retry(enabled: boolean): this;
  throwOnError(): PromiseLike<Finished>;
}

/** Sends a request of the SDK: no retries of its own, and errors as the transport throws them. */
async function finish(
  request: Request,
  prefer: string,
  parameters: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<Finished> {
  return request
    .setHeader("Prefer", prefer)
    .setHeader(QUERY, new URLSearchParams(parameters).toString())
    .retry(false)
    .abortSignal(signal)
    .throwOnError();
}

function columnList(names: readonly string[]): string {
  return names.map(columnText).join(",");
}

/** The SDK puts names into addresses as they are. */
function pathPart(name: string): string {
  if (name === "" || name === "." || name === "..") throw new Error("a name that cannot be used in a URL");
  return encodeURIComponent(name);
}

function exactCount(count: number | null): number {
  if (count === null || !Number.isSafeInteger(count)) throw new Error("an answer has no count");
  return count;
}
