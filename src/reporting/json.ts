import { cleanText } from "./clean.ts";
import type { ReportingContext } from "./context.ts";
import { expectedCopy } from "./expected.ts";
import { failureLine, stack } from "./failure-text.ts";
import { percent } from "./format.ts";
import { type Emit, recordEmitter } from "./json-record.ts";
import { outcome } from "./outcome.ts";
import { Progress } from "./progress.ts";
import type { Reporter, RunReport } from "./reporter.ts";
import { totals } from "./totals.ts";

/** Milliseconds between two progress records. */
const EVERY = 1_000;

/**
 * For programs: one JSON record a line on stdout and nothing else there. The last record of a run that came to its end,
 * good or bad, is the summary; without one the run did not finish. Records only ever gain fields.
 */
export function json(context: ReportingContext): Reporter {
  const { stderr, redactor, command, verbose } = context;
  const emit = recordEmitter(context);
  const progress = new Progress(() => performance.now());
  const started = new Date();
  let timer: NodeJS.Timeout | undefined;
  let ended = false;
  const end = (): boolean => {
    clearInterval(timer);
    const first = !ended;
    ended = true;
    return first;
  };
  const during: Emit = (type, body) => {
    if (!ended) {
      emit(type, body);
    }
  };
  return {
    note: (message) => during("note", { message }),
    warn: (message) => during("warning", { message }),
    detail: (message) => {
      if (verbose) {
        during("note", { message, detail: true });
      }
    },
    plan: (plan) => {
      progress.expect(expectedCopy(plan));
      during("start", plan);
    },
    meter: (collection, documents, done) => {
      if (!ended) {
        timer ??= setInterval(() => emit("progress", progressBody(progress)), EVERY).unref();
      }
      return progress.meter(collection, documents, done);
    },
    comparison: (comparison) => during("start", comparison),
    difference: (difference) => during("diff", difference),
    changePlan: (plan) => during("start", plan),
    compared: (report) => {
      if (end()) emit("summary", report);
    },
    changed: (report) => {
      if (end()) emit("summary", report);
    },
    finish: (report) => {
      if (end()) {
        emitReport(emit, report);
      }
    },
    fail: (error, exitCode) => {
      if (end()) {
        const { exit, message, hint } = error;
        const bug = exit === "bug" ? { stack: stack(error) } : {};
        emit("error", { exit, code: exitCode, message, hint, retryable: error.retryable, ...bug });
        emit("summary", {
          ...timesOf(started, new Date()),
          exitCode,
          outcome: outcome(exitCode),
          verdict: message,
        });
      }
      stderr.write(failureLine(command, error, exitCode, cleanText(redactor)));
    },
    close: () => {
      end();
    },
  };
}

function progressBody(progress: Progress): object {
  const { done, total, rate, remaining, elapsed, inFlight, ...rest } = progress.snapshot();
  return {
    ...rest,
    documents: done,
    documentsTotal: total,
    percent: percent(done, total),
    documentsPerSecond: rate === undefined ? undefined : Math.round(rate),
    remainingMs: remaining === undefined ? undefined : Math.round(remaining),
    elapsedMs: Math.round(elapsed),
    inFlight: inFlight.map((one) => ({
      collection: one.collection,
      phase: one.phase,
      documents: one.done,
      documentsTotal: one.total,
    })),
  };
}

function emitReport(emit: Emit, report: RunReport): void {
  const { collections, items, itemCount, started, ended, exitCode, verdict, ...rest } = report;
  for (const collection of collections) {
    emit("collection", collection);
  }
  for (const item of items) {
    emit("item", item);
  }
  emit("summary", {
    ...rest,
    ...timesOf(started, ended),
    collections: collections.length,
    ...totals(collections),
    items: itemCount,
    exitCode,
    outcome: outcome(exitCode),
    verdict,
  });
}

function timesOf(started: Date, ended: Date): object {
  return { started, ended, durationMs: ended.getTime() - started.getTime() };
}
