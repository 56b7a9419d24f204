/** What differs is looked at again, until it stays as it is, or is equal, or time is up. */
import { setTimeout as pause } from "node:timers/promises";
import type { Doc } from "../../model/document.ts";
import { chunksOf } from "../concurrency/chunks.ts";
import { canQuery, find } from "../walk/lookup.ts";
import { bytesOf, type DiffCandidate, isSameObservation, observe } from "./candidate.ts";
import { classifyPair, isSame } from "./classify.ts";
import type { DiffJob } from "./diff-job.ts";
import type { DriftDetector } from "./drift/drift.ts";
import { expiredOn } from "./expired.ts";
import { reportDocument } from "./report-difference.ts";

/** Documents and bytes, of both sides, that are read at once. */
const CHUNK = { count: 1_000, bytes: 8_000_000 };

/** Settles what became of every candidate: each is counted once, and differences are reported. */
export async function lookAgain(
  job: DiffJob,
  candidates: readonly DiffCandidate[],
  drift: DriftDetector,
): Promise<void> {
  let open = candidates;
  for (const delay of job.delays) {
    if (open.length === 0) return;
    await pause(delay, undefined, { signal: job.signal }).catch(() => job.signal.throwIfAborted());
    open = await lookOnce(job, open, drift);
  }
  for (const candidate of open) await reportDocument(job, candidate, { state: "moving" });
}

/** @returns those that have changed since they were looked at last */
async function lookOnce(
  job: DiffJob,
  candidates: readonly DiffCandidate[],
  drift: DriftDetector,
): Promise<DiffCandidate[]> {
  const open: DiffCandidate[] = [];
  for (const chunk of chunksOf(candidates, bytesOf, CHUNK)) {
    job.signal.throwIfAborted();
    const ids = chunk.map(({ id }) => id);
    const [source, target] = await Promise.all([
      find(job.source, job.from, ids, job.signal),
      find(job.target, job.to, ids, job.signal),
    ]);
    const stable: Looked[] = [];
    for (const candidate of chunk) {
      const { key } = candidate.id;
      const again = await settle(job, candidate, source.get(key), target.get(key));
      if (again === undefined) continue;
      if (again.isStable) stable.push(again);
      else open.push(again.seen);
    }
    await reportStable(job, stable, drift);
  }
  return open;
}

/** A document that differs, as it looks now. */
interface Looked {
  /** Whether it looked so before. */
  readonly isStable: boolean;
  readonly seen: DiffCandidate;
  readonly source: Doc | undefined;
  readonly target: Doc | undefined;
}

/** Which side changed is known only for neighbours together. */
async function reportStable(job: DiffJob, stable: readonly Looked[], drift: DriftDetector): Promise<void> {
  const reported = await drift.of(stable.map(({ seen: { id }, source, target }) => ({ id, source, target })));
  for (const { seen, source, target } of stable) {
    const moved = reported.get(seen.id.key);
    const known = moved === undefined ? {} : { drift: moved };
    await reportDocument(job, seen, { state: "stable", source, target, ...known });
  }
}

/** @returns how it looks now, where it still differs and can be asked for */
async function settle(
  job: DiffJob,
  candidate: DiffCandidate,
  source: Doc | undefined,
  target: Doc | undefined,
): Promise<Looked | undefined> {
  const { tally } = job.progress;
  if (!canQuery(job.source, candidate.id) || !canQuery(job.target, candidate.id)) {
    await reportDocument(job, candidate, {
      state: "stable",
      unreadable: "its _id cannot be used in a query, so the difference could not be confirmed",
    });
    return undefined;
  }
  if (isSame(classifyPair(job, source, target))) {
    tally.settled++;
    return undefined;
  }
  if (expiredOn(job, source, target)) {
    tally.expired++;
    return undefined;
  }
  const observation = observe(source, target);
  const seen = { id: source?.id ?? candidate.id, observation, rounds: candidate.rounds + 1 };
  return { isStable: isSameObservation(observation, candidate.observation), seen, source, target };
}
