/** Copying into a place that is written once: all of it is written, read back, and published if it is what was read. */
import type { CollectionInfo } from "../../connectors/collection.ts";
import type { Reader, Sink } from "../../connectors/contract.ts";
import type { NotCopied } from "../../model/collection.ts";
import { DualsyncError } from "../../model/errors.ts";
import type { CollectionReport, Meter, Reporter, Verdict } from "../../model/reporter.ts";
import { oneCollection, reasonOf } from "../concurrency/one-collection.ts";
import { NOT_CHOSEN, type PlannedJob } from "../plan/plan.ts";
import type { VerifyMode } from "../plan/verify-mode.ts";
import type { Losses } from "../progress/losses.ts";
import { OrderedFingerprint, UnorderedFingerprint } from "../walk/fingerprint.ts";
import { readOnce } from "../walk/read-once.ts";
import { shortfall } from "../walk/shortfall.ts";
import { leaveBlueprint } from "./leave-blueprint.ts";
import { assertSourceExists, nameInexact } from "./still-there.ts";
import type { Transferred } from "./transfer.ts";

/** What all collections of a run into a sink share. */
export interface OnceRun {
  readonly source: Reader;
  readonly sink: Sink;
  /** The place, for people. */
  readonly label: string;
  readonly verify: VerifyMode;
  readonly indexes: boolean;
  readonly batchSize?: number | undefined;
  readonly losses: Losses;
  /** What the source has and is not to be written. */
  readonly left: readonly NotCopied[];
  /** Takes secrets out of what servers have said: it is written down, and the place may be carried anywhere. */
  readonly redact: (text: string) => string;
  readonly note: (message: string) => void;
  readonly signal: AbortSignal;
  readonly stop: (error: unknown) => void;
}

interface OnceJob extends OnceRun, PlannedJob {
  readonly meter: Meter;
}

/** A collection that was written whole, and what was read of it. */
interface Written {
  readonly planned: PlannedJob;
  readonly documents: number;
  readonly bytes: number;
  readonly digest: string;
  readonly verdict: Verdict;
}

/** The first error that is not of one collection alone ends the run, and nothing is published. */
export async function copyOnce(
  run: OnceRun,
  jobs: readonly PlannedJob[],
  reporter: Reporter,
): Promise<Transferred> {
  const written: Written[] = [];
  const lacks = [...run.left];
  try {
    for (const planned of jobs) {
      const meter = reporter.meter(planned.from.name, planned.from.documents);
      try {
        written.push(await writeOne({ ...run, ...planned, meter }, lacks));
      } finally {
        meter.end();
      }
    }
    await readBack(run, written, reporter);
    const verified = written.every(({ verdict }) => verdict === "verified" || verdict === "defined");
    const named = lacks.map((one) =>
      // Later runs know it by these words.
      one.reason === NOT_CHOSEN ? one : { ...one, reason: run.redact(one.reason) },
    );
    await run.sink.publish({ verified, lacks: named }, run.signal);
  } catch (error) {
    // What ended the run is what is to be said.
    await run.sink.discard().catch((other: unknown) => {
      run.note(`What was written could not be removed: ${other instanceof Error ? other.message : ""}`);
    });
    throw error;
  }
  return { collections: written.map(report), bytes: written.reduce((sum, { bytes }) => sum + bytes, 0) };
}

async function writeOne(job: OnceJob, lacks: NotCopied[]): Promise<Written> {
  const { losses, from, to } = job;
  return await oneCollection(job, writeCollection, (error) => {
    const reason = reasonOf(error);
    const key = `collection ${from.name}`;
    losses.add(key, reason);
    lacks.push({ name: to.name, reason, ...(losses.accepts(key) ? {} : { isLoss: true }) });
    return { planned: job, documents: 0, bytes: 0, digest: "", verdict: "incomplete" };
  });
}

async function writeCollection(job: OnceJob): Promise<Written> {
  const { source, sink, from, to, filter, batchSize, signal, losses, meter } = job;
  meter.phase("copying");
  const hasIndexes = job.indexes && from.kind !== "definition";
  const indexes = hasIndexes ? ((await source.metadata?.indexes(from.name, signal)) ?? []) : [];
  const into = await sink.begin(to, indexes, signal);
  await leaveBlueprint(job, sink.blueprints);
  const fingerprint = fingerprintOf(from);
  let bytes = 0;
  if (from.kind !== "definition") {
    for await (const batch of readOnce(source, from, { filter, batchSize, signal })) {
      fingerprint.add(batch);
      bytes += batch.bytes.length;
      await into.write(batch, signal);
      meter.advance(batch.length, batch.bytes.length);
      batch.release();
    }
    await assertSourceExists(job);
  }
  const { documents } = fingerprint;
  const partial = await lacking(job, documents);
  if (partial !== undefined) losses.add(`collection ${from.name}`, partial);
  const inexact = nameInexact(job, losses);
  const doubts = [...job.doubts, ...inexact].map((one) => ({ ...one, reason: job.redact(one.reason) }));
  await into.end({ partial: partial === undefined ? undefined : job.redact(partial), doubts }, signal);
  const done = from.kind === "definition" ? "defined" : "not verified";
  const verdict = partial === undefined && inexact.length === 0 ? done : "incomplete";
  return { planned: job, documents, bytes, digest: fingerprint.digest(), verdict };
}

/** What has no order is given back in that of its ids. */
function fingerprintOf({ kind, ordered }: CollectionInfo): OrderedFingerprint | UnorderedFingerprint {
  return ordered || kind === "sequence" ? new OrderedFingerprint() : new UnorderedFingerprint();
}

/** Why this is not all of it: the source gave other documents than it counts. */
async function lacking(job: OnceJob, given: number): Promise<string | undefined> {
  const { source: store, from: collection, filter, signal } = job;
  if (collection.kind === "definition") return undefined;
  const before = filter === undefined ? collection.documents : undefined;
  return await shortfall({ store, role: "source", collection, filter, before, signal }, given);
}

/** What is verified is that the place holds, byte for byte and in the same order, what was read. */
async function readBack(run: OnceRun, written: Written[], reporter: Reporter): Promise<void> {
  const { sink, label, verify, signal } = run;
  if (verify !== "content") return;
  const reader = await sink.reopen(signal);
  try {
    for (const [index, one] of written.entries()) {
      const { planned, digest, documents, verdict } = one;
      if (planned.from.kind === "definition" || digest === "") continue;
      const meter = reporter.meter(planned.to.name, documents);
      meter.phase("verifying");
      const fingerprint = fingerprintOf(planned.from);
      for await (const batch of reader.read(planned.to, { signal })) {
        fingerprint.add(batch);
        meter.advance(batch.length, batch.bytes.length);
        batch.release();
      }
      meter.end();
      if (fingerprint.digest() !== digest) throw altered(label, planned.to.name);
      if (verdict === "not verified") written[index] = { ...one, verdict: "verified" };
    }
  } finally {
    await reader.close();
  }
}

function altered(label: string, name: string): DualsyncError {
  return new DualsyncError("unverified", `${label} gave ${name} back with other bytes than were written.`, {
    hint: "Nothing of this run was kept, and the source was not changed. Check the disk, then run the same command again.",
  });
}

function report({ planned: { from, to }, documents, verdict }: Written): CollectionReport {
  return {
    collection: from.name,
    target: to.name,
    kind: from.kind,
    type: from.type,
    read: documents,
    written: documents,
    unchanged: 0,
    equivalent: 0,
    kept: 0,
    rejected: 0,
    deleted: 0,
    extra: 0,
    changed: 0,
    sourceCount: undefined,
    targetCount: undefined,
    verdict,
  };
}
