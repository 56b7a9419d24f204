/**
 * Reads no faster than a person asked for, so that a copy leaves a server and a line to others.
 *
 * Written by hand: p-throttle counts calls, not bytes.
 */

import type { Batch } from "../../model/document.ts";
import type { CollectionInfo, ReadOptions } from "../collection.ts";
import type { Reader } from "../contract.ts";
import { CLOCK, type Clock } from "./clock.ts";
import { withMembers } from "./with-members.ts";

/** The most that may be read in a second, from all collections and ranges together. */
export interface ReadRate {
  readonly documentsPerSecond?: number;
  readonly bytesPerSecond?: number;
}

/** A batch asked for is this part of a second's worth at most, so that the flow is even. */
const BATCH_SECONDS = 0.5;
/** Where the store knows no better. */
const DOCUMENT_BYTES = 1_000;

/** Token buckets for documents and bytes that hold no more than what is waited for: idle times earn nothing. */
export class Throttle {
  readonly #rate: ReadRate;
  readonly #clock: Clock;
  /** When all that was let through or waits is paid for. */
  #documentsPaid = 0;
  #bytesPaid = 0;

  constructor(rate: ReadRate, clock: Clock = CLOCK) {
    this.#rate = rate;
    this.#clock = clock;
  }

  /** Waits, first come first served, until this much more fits into the rate. Rejects with the signal's reason. */
  async take(documents: number, bytes: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const now = this.#clock.now();
    this.#documentsPaid = paid(this.#documentsPaid, now, documents, this.#rate.documentsPerSecond);
    this.#bytesPaid = paid(this.#bytesPaid, now, bytes, this.#rate.bytesPerSecond);
    const wait = Math.max(this.#documentsPaid, this.#bytesPaid) - now;
    if (wait <= 0) return;
    await this.#clock.wait(wait, signal).catch((error: unknown) => {
      throw signal.aborted ? signal.reason : error;
    });
  }

  /** Documents in a batch that are about half a second's worth. */
  batchSize(documentBytes: number): number {
    const { documentsPerSecond = Number.POSITIVE_INFINITY, bytesPerSecond = Number.POSITIVE_INFINITY } =
      this.#rate;
    const perSecond = Math.min(documentsPerSecond, bytesPerSecond / documentBytes);
    return Math.max(1, Math.floor(perSecond * BATCH_SECONDS));
  }
}

function paid(before: number, now: number, amount: number, perSecond: number | undefined): number {
  return perSecond === undefined ? now : Math.max(before, now) + (amount / perSecond) * 1e3;
}

/** The same store, whose reads together keep to the rate; everything else is as it was. */
export function rateLimited<S extends Reader>(store: S, rate: ReadRate, clock?: Clock): S {
  const throttle = new Throttle(rate, clock);
  const read = (collection: CollectionInfo, options: ReadOptions): AsyncIterable<Batch> =>
    readSlowly(store, throttle, collection, options);
  return withMembers<Reader>(store, { read }) as S;
}

async function* readSlowly(
  store: Reader,
  throttle: Throttle,
  collection: CollectionInfo,
  options: ReadOptions,
): AsyncGenerator<Batch> {
  const { documents, bytes } = collection;
  const average = documents > 0 && bytes > 0 ? bytes / documents : DOCUMENT_BYTES;
  const size = Math.min(options.batchSize ?? Number.POSITIVE_INFINITY, throttle.batchSize(average));
  const asked = Number.isFinite(size) ? { ...options, batchSize: size } : options;
  for await (const batch of store.read(collection, asked)) {
    await throttle.take(batch.length, batch.bytes.length, options.signal);
    yield batch;
  }
}
