/** Whether KV and its copy serve an application now: for monitors, and for health pages. Both are asked at once, and not for long. */
import type { Location, StoreRole } from "../../connectors/connector.ts";
import { openStore } from "../../connectors/registry.ts";
import { DualsyncError, exitCode } from "../../model/errors.ts";
import type { ServiceReport, ServiceSide } from "../../model/sync.ts";
import type { RunContext } from "../command.ts";

/** What is asked; everything is checked, nothing was contacted. */
export interface CheckOptions {
  /** Undefined: nothing names such a store. */
  readonly kv: Location | undefined;
  readonly mongodb: Location | undefined;
  /** Why what is set of KV names no store, as a clause. */
  readonly lacking: string | undefined;
}

/** A store that has not answered by then does not serve. Milliseconds. */
const LONGEST = 10_000;
/** What fails later than this was no connection that broke by chance. */
const SOON = 2_000;

/** What became of one side. */
interface CheckedSide extends ServiceSide {
  /** Its credentials are refused: that does not pass. */
  readonly isDenied: boolean;
}

/** @returns the exit status: 0 both serve, 4 KV alone does not, 5 MongoDB does not, 8 one of them refuses the credentials */
export async function check(options: CheckOptions, { reporter, signal }: RunContext): Promise<number> {
  const because = options.lacking === undefined ? "" : `: ${options.lacking}`;
  const [kv, mongodb] = await Promise.all([
    look(options.kv, "source", `KV is not configured${because}.`, signal),
    look(options.mongodb, "target", "MongoDB is not configured.", signal),
  ]);
  const report = reportOf(kv, mongodb);
  reporter.checked(report);
  return report.exitCode;
}

async function look(
  location: Location | undefined,
  role: StoreRole,
  unset: string,
  signal: AbortSignal,
): Promise<CheckedSide> {
  if (location === undefined) return { configured: false, available: false, problem: unset, isDenied: false };
  const { label } = location;
  const ender = new AbortController();
  const until = AbortSignal.any([signal, ender.signal]);
  const late = new DualsyncError(
    role,
    `No answer from the ${role} ${label} within ${LONGEST / 1_000} seconds.`,
  );
  const started = performance.now();
  const timer = setTimeout(() => ender.abort(late), LONGEST);
  try {
    await serves(location, role, until).catch(async (error: unknown) => {
      // A connection may break for no reason. Who asks to wait is not asked again at once.
      if (!isBroken(error) || performance.now() - started > SOON) throw error;
      await serves(location, role, until);
    });
    return { configured: true, label, available: true, isDenied: false };
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof DualsyncError) || !OF_THE_STORE.has(error.exit)) throw error;
    const isDenied = error.exit === "denied";
    return { configured: true, label, available: false, problem: error.message, isDenied };
  } finally {
    clearTimeout(timer);
  }
}

const OF_THE_STORE: ReadonlySet<string> = new Set(["source", "target", "denied"]);

function isBroken(error: unknown): boolean {
  return error instanceof DualsyncError && error.retryable && error.reason === undefined;
}

async function serves(location: Location, role: StoreRole, signal: AbortSignal): Promise<void> {
  const store = await openStore(location, { role, retries: 0, brief: true, signal });
  try {
    await (store.probe?.serves(signal) ?? store.history?.read(signal));
  } finally {
    await store.close();
  }
}

function reportOf(kv: CheckedSide, mongodb: CheckedSide): ServiceReport {
  const isDenied = kv.isDenied || mongodb.isDenied;
  const failed = !mongodb.available ? "target" : !kv.available ? "source" : "done";
  const problems = [kv, mongodb].flatMap(({ problem }) => problem ?? []);
  return {
    status: kv.available ? "kv" : mongodb.available ? "mongodb" : "fallback",
    kv,
    mongodb,
    exitCode: exitCode(isDenied ? "denied" : failed),
    verdict: [...problems, ...conclusion(kv, mongodb)].join(" "),
  };
}

function conclusion(kv: ServiceSide, mongodb: ServiceSide): string[] {
  if (kv.available && mongodb.available) return ["KV and MongoDB serve."];
  if (kv.available) return ["KV serves, without a copy to fall back to."];
  if (mongodb.available)
    return [
      "MongoDB serves: what the application writes there goes to KV with dualsync sync-kv --direction to-kv.",
    ];
  return ["Neither serves."];
}
