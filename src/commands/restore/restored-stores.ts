/** The two stores of a restore, where the copy keeps in a layout of its own what its primary holds, when that expires, and what both agreed on. */
import { printId } from "../../bson/print-id.ts";
import type { Reader, WriteSession } from "../../connectors/contract.ts";
import type { LaidOutSession } from "../../connectors/copy-layouts.ts";
import { fastestClock } from "../../core/plan/same-store.ts";
import { agreeing } from "../../core/restore/agreeing.ts";
import { type WithoutExpired, withoutExpired } from "../../core/restore/without-expired.ts";
import { count, grouped } from "../../reporting/text/format.ts";
import { copyNotes, type PrimaryAndCopy } from "../run/copy-layout.ts";

export interface RestoredStores extends PrimaryAndCopy {
  /** The source, where what has expired in the target is left out of it. */
  readonly expiring?: WithoutExpired | undefined;
}

/** Names that a note lists. */
const LISTED = 20;

/** What the target removes as soon as it is written is left out of the copy. */
export async function withoutWhatExpired(
  stores: PrimaryAndCopy,
  signal: AbortSignal,
): Promise<RestoredStores> {
  const { copy, source, target } = stores;
  if (target.expiry?.removesAtOnce !== true) return stores;
  // An archive holds what such a store gave, and does not itself know when that expires.
  const expiry = copy?.role === "source" ? copy.store.expiry : source.integrity && target.expiry;
  const { lookup } = source;
  if (expiry === undefined || lookup === undefined) return stores;
  const expiring = withoutExpired({ ...source, lookup, expiry }, await clockOf(source, target, signal));
  return { ...stores, source: expiring.store, expiring };
}

/**
 * The target as the run sees it: where the copy keeps what both sides agree on, that is noted on the way. Not in a copy of another
 * store: to that one it would be of no truth. `copying`: of the copy.
 */
export async function noting(
  { copy, target }: RestoredStores,
  copying: WriteSession | undefined,
  signal: AbortSignal,
): Promise<Reader> {
  const { contents, label } = target;
  const agreements = copying?.agreements;
  if (copy === undefined || contents === undefined || agreements === undefined) return target;
  if ((copy.from ?? label) !== label) return target;
  if (copy.from === undefined) await (copying as LaidOutSession).remember(copy.layout, label, signal);
  const now = await clockOf(copy.store, target, signal);
  return agreeing(target, { copy: copy.store, agreements, contents, now });
}

async function clockOf(copy: Reader, target: Reader, signal: AbortSignal): Promise<() => Date> {
  return fastestClock(await Promise.all([copy.identity(signal), target.identity(signal)]));
}

/** What the plan says of such a copy. */
export async function laidOutNotes(
  { copy, expiring, target }: RestoredStores,
  signal: AbortSignal,
): Promise<string[]> {
  const { expired = 0 } = expiring ?? {};
  return [
    ...(copy === undefined ? [] : await copyNotes(copy, target.label, signal)),
    // What somebody else made may hold more than was meant.
    ...(copy !== undefined && copy.from === undefined ? [await heldBy(copy.store, signal)] : []),
    ...(expired === 0
      ? []
      : [
          `Left out: ${count(expired, "document")} of the copy that ${expired === 1 ? "has" : "have"} expired since.`,
        ]),
  ];
}

async function heldBy(copy: Reader, signal: AbortSignal): Promise<string> {
  const names: string[] = [];
  let more = 0;
  for (const collection of (await copy.list(signal)).collections)
    for await (const batch of copy.read(collection, { signal })) {
      for (const { id } of batch.docs()) {
        if (names.length < LISTED) names.push(printId(id.element));
        else more++;
      }
      batch.release();
    }
  return `It holds: ${names.join(", ")}${more === 0 ? "" : ` and ${grouped(more)} more`}.`;
}
