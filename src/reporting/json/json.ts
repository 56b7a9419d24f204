import type { DualsyncError } from "../../model/errors.ts";
import type { Reporter, RunReport } from "../../model/reporter.ts";
import type { ReportingContext } from "../context.ts";
import { failureLine, stack } from "../human/failure-text.ts";
import { expectedChanges, expectedComparison, expectedCopy, expectedSync } from "../progress/expected.ts";
import { ProgressLog } from "../progress/progress.ts";
import { cleanText } from "../text/clean.ts";
import { percent } from "../text/format.ts";
import { outcome } from "../text/outcome.ts";
import { timesOf } from "../text/time-window.ts";
import { totals } from "../text/totals.ts";
import {
  changePlanRecord,
  comparisonRecord,
  diffRecord,
  emitChangeReport,
  emitDiffReport,
} from "./diff-record.ts";
import { type Emit, recordEmitter, withExact, withType } from "./json-record.ts";
import { emitServiceReport, emitSyncReport } from "./sync-record.ts";

/** Milliseconds between two progress records. */
const EVERY = 1_000;

/**
 * For programs: one JSON record a line on stdout and nothing else there. The last record of a run that finished,
 * good or bad, is the summary; without one the run did not finish. Records only ever gain fields.
 */
export function json(context: ReportingContext): Reporter {
  const { stderr, redactor, command, verbose } = context;
  const emit = recordEmitter(context);
  const progress = new ProgressLog(() => performance.now());
  const started = new Date();
  let timer: NodeJS.Timeout | undefined;
  let ended = false;
  // Of a comparison: whoever reads its summary asks whether everything was compared.
  let unfinished: { readonly complete?: false } = {};
  const end = (): boolean => {
    clearInterval(timer);
    const first = !ended;
    ended = true;
    return first;
  };
  const during: Emit = (type, body) => {
    if (!ended) emit(type, body);
  };
  return {
    note: (message) => during("note", { message }),
    warn: (message) => during("warning", { message }),
    detail: (message) => {
      if (verbose) during("note", { message, detail: true });
    },
    plan: (plan) => {
      progress.expect(expectedCopy(plan));
      during("start", { ...plan, collections: plan.collections.map(withType) });
    },
    meter: (collection, documents, done) => {
      if (!ended) {
        timer ??= setInterval(() => emit("progress", progressBody(progress)), EVERY).unref();
      }
      return progress.meter(collection, documents, done);
    },
    comparison: (comparison) => {
      unfinished = { complete: false };
      progress.expect(expectedComparison(comparison));
      during("start", comparisonRecord(comparison));
    },
    difference: (difference) => during("diff", diffRecord(difference)),
    changePlan: (plan) => {
      progress.expect(expectedChanges(plan));
      during("start", changePlanRecord(plan));
    },
    compared: (report) => {
      if (end()) emitDiffReport(emit, report);
    },
    changed: (report) => {
      if (end()) emitChangeReport(emit, report);
    },
    syncPlan: (plan) => {
      progress.expect(expectedSync(plan));
      during("start", plan);
    },
    synced: (report) => {
      if (end()) emitSyncReport(emit, report);
    },
    checked: (report) => {
      if (end()) emitServiceReport(emit, report);
    },
    finish: (report) => {
      if (end()) emitReport(emit, report);
    },
    fail: (error, exitCode) => {
      if (end()) emitFailure(emit, error, exitCode, { ...timesOf(started, new Date()), ...unfinished });
      stderr.write(failureLine(command, error, exitCode, cleanText(redactor)));
    },
    ready: () => context.stdout.ready(),
    close: () => {
      end();
    },
  };
}

function emitFailure(emit: Emit, error: DualsyncError, code: number, known: object): void {
  const { exit, message, hint, retryable, reason } = error;
  const retryAfterSeconds = error.retryAfter === undefined ? undefined : Math.ceil(error.retryAfter / 1_000);
  const bug = exit === "bug" ? { stack: stack(error) } : {};
  emit("error", { exit, code, message, hint, retryable, reason, retryAfterSeconds, ...bug });
  emit("summary", { ...known, exitCode: code, outcome: outcome(code), verdict: message });
}

function progressBody(progress: ProgressLog): object {
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
    emit("collection", withExact(withType(collection)));
  }
  for (const item of items) {
    emit("item", item);
  }
  emit("summary", {
    ...rest,
    ...timesOf(started, ended),
    collections: collections.length,
    exact: collections.every(({ anyFieldOrder }) => anyFieldOrder !== true),
    ...totals(collections),
    items: itemCount,
    exitCode,
    outcome: outcome(exitCode),
    verdict,
  });
}
