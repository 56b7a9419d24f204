/** Copying into a store whose documents refer to each other: what others refer to is written first, and removed last. */
import { inReferenceOrder } from "../../connectors/reference-order.ts";
import { Batch, type Doc } from "../../model/document.ts";
import type { CollectionReport, Reporter } from "../../model/reporter.ts";
import { type Due, entryOf, save } from "../change/write-and-verify.ts";
import { find } from "../walk/lookup.ts";
import type { Job } from "./job.ts";
import {
  type DoneCollection,
  type OpenedCollection,
  open,
  type PlannedTransfer,
} from "./opened-collection.ts";
import { removeRelated } from "./remove-related.ts";
import { settleRejected } from "./settle.ts";

type Prepared = Parameters<Parameters<OpenedCollection["stage"]>[0]>[1];

/** What is done with every collection, whatever the store. */
export interface Stages {
  fill(job: Job, prepared: Prepared): Promise<void>;
  end(job: Job, prepared: Prepared): Promise<CollectionReport>;
}

/** Bytes of documents that are written together at most: all of them are in memory. */
const MOST_TOGETHER = 64_000_000;

export async function transferRelated(
  planned: readonly PlannedTransfer[],
  reporter: Reporter,
  { fill, end }: Stages,
): Promise<readonly DoneCollection[]> {
  const named = planned.map((one) => ({ name: one.to.name, after: one.to.after, one }));
  const { order, cycles } = inReferenceOrder(named);
  const circleOf = (name: string): readonly { readonly name: string }[] =>
    cycles.find((circle) => circle.some((one) => one.name === name)) ?? [{ name }];
  const opened = new Map<string, OpenedCollection>();
  try {
    for (const { name, one } of order) {
      const collection = await open(one, reporter);
      opened.set(name, collection);
      await collection.stage(async (job, prepared) => {
        await fill({ ...job, delete: false }, prepared);
        return undefined;
      });
      const circle = circleOf(name).map((member) => opened.get(member.name));
      if (circle.every((member) => member !== undefined)) await settleCircle(circle);
    }
    const all = [...opened.values()];
    const circles = new Set(order.map(({ name }) => circleOf(name)[0]?.name ?? name));
    for (const name of [...circles].reverse())
      await removeFromCircle(circleOf(name).flatMap((member) => opened.get(member.name) ?? []));
    for (const collection of all) await collection.stage(end);
    return all.map(({ done }) => done);
  } finally {
    for (const collection of opened.values()) collection.close();
  }
}

/** What is to go of collections that refer to each other goes together. */
async function removeFromCircle(circle: readonly OpenedCollection[]): Promise<void> {
  const jobs: Job[] = [];
  for (const collection of circle)
    await collection.stage(async (job, prepared) => {
      if (job.delete && !prepared.empty) jobs.push(job);
      return undefined;
    });
  await circle[0]?.stage(async () => {
    await removeRelated(jobs);
    return undefined;
  });
}

/** Collections whose documents refer to each other: those that wait for others are written together. */
async function settleCircle(circle: readonly OpenedCollection[]): Promise<void> {
  const waiting = new Map<string, Batch>();
  const journalings = new Map<string, Job["journaling"]>();
  let room = MOST_TOGETHER;
  let first: Job | undefined;
  for (const collection of circle)
    await collection.stage(async (job) => {
      first ??= job;
      const documents = await waitingOf(job, room);
      for (const { bytes } of documents) room -= bytes.length;
      if (documents.length > 0) waiting.set(job.to.name, Batch.of(documents));
      journalings.set(job.to.name, job.journaling);
      return undefined;
    });
  // Should the run be killed before they are made whole, they are its own all the same.
  const onStubs = async (name: string, stubs: readonly Doc[]): Promise<void> => {
    const { journal, collection } = journalings.get(name) ?? {};
    const entries = stubs.map(({ id, bytes: wanted }) =>
      entryOf({ id, wanted }, undefined, first?.target ?? {}),
    );
    if (collection !== undefined && entries.length > 0) await journal?.save(collection, entries);
  };
  if (first !== undefined && waiting.size > 0)
    await first.session.relatedWrites?.writeTogether(waiting, first.signal, onStubs);
  // What came of it is seen there, document by document.
  for (const collection of circle)
    await collection.stage(async (job) => {
      await settleRejected(job);
      return undefined;
    });
}

/**
 * Documents that were refused and that the target lacks; that it does is saved. What is there already is in nobody's way: it is
 * replaced, if at all, once the others are written.
 */
async function waitingOf(job: Job, room: number): Promise<readonly Doc[]> {
  const { source, target, from, to, progress, journaling, signal } = job;
  if (progress.blocked.size === 0) return [];
  const ids = progress.blocked.documents.map(({ id }) => id);
  const [wanted, there] = await Promise.all([find(source, from, ids, signal), find(target, to, ids, signal)]);
  const due: Due[] = [];
  let left = room;
  for (const [key, expected] of wanted) {
    if (there.has(key)) continue;
    left -= expected.bytes.length;
    if (left >= 0) due.push({ change: { id: expected.id, wanted: expected.bytes }, before: undefined });
  }
  await save({ target, journaling }, due);
  return due.flatMap(({ change: { id, wanted } }) => (wanted === undefined ? [] : [{ id, bytes: wanted }]));
}
