import type { ServiceReport, ServiceSide, SyncReport } from "../../model/reporter.ts";
import { outcome } from "../text/outcome.ts";
import { timesOf } from "../text/time-window.ts";
import type { Emit } from "./json-record.ts";

export function emitSyncReport(emit: Emit, report: SyncReport): void {
  const { counts, items, itemCount, started, ended, exitCode, verdict, ...rest } = report;
  for (const item of items) emit("item", item);
  emit("summary", {
    ...rest,
    ...timesOf(started, ended),
    ...counts,
    items: itemCount,
    exitCode,
    outcome: outcome(exitCode),
    verdict,
  });
}

/** The one record of such a run: whoever asks for the health of an application reads it as it is. */
export function emitServiceReport(
  emit: Emit,
  { status, kv, mongodb, exitCode, verdict }: ServiceReport,
): void {
  emit("check", {
    status,
    health: { kv: kv.available, mongodb: mongodb.available },
    kv: sideRecord(kv),
    mongodb: sideRecord(mongodb),
    exitCode,
    outcome: outcome(exitCode),
    verdict,
  });
}

function sideRecord({ configured, available }: ServiceSide): object {
  return { configured, available };
}
