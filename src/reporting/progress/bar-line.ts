/** The lines of the progress display, as text. */
import type { ChalkInstance } from "chalk";
import { eta, grouped, percent, rate } from "../text/format.ts";
import { cutMiddle, pad, textWidth } from "../text/text-width.ts";
import { isCounted, isMain } from "./phase.ts";
import type { CollectionProgress, RunProgress } from "./progress.ts";

export interface BarStyle {
  /** Columns of the terminal. */
  readonly columns: number;
  readonly nameWidth: number;
  readonly paint: ChalkInstance;
}

/** The name column for these collections: as wide as they need, within a quarter of the terminal. */
export function nameWidth(names: readonly string[], columns: number): number {
  return Math.min(Math.max(5, ...names.map(textWidth)), Math.max(5, Math.floor(columns / 4)));
}

/** One collection, for example "orders  ███████░░░░░░░  50%  25,000 of 50,000". */
export function collectionLine(of: CollectionProgress, style: BarStyle): string {
  if (!isCounted(of.phase)) {
    return line(of.collection, undefined, [of.phase], style);
  }
  const count = `${grouped(of.done)} of ${grouped(of.total)}`;
  return line(of.collection, share(of), isMain(of.phase) ? [count] : [of.phase, count], style);
}

/** The whole run, with its speed and the time that is left. */
export function totalLine(of: RunProgress, style: BarStyle): string {
  const { paint } = style;
  if (!isCounted(of.phase)) {
    return line("total", undefined, [of.phase], style, paint.bold);
  }
  const facts = [
    `${grouped(of.done)} of ${grouped(of.total)}`,
    ...(isMain(of.phase) ? [] : [of.phase]),
    ...(of.rate === undefined ? [] : [rate(of.rate)]),
    ...(of.remaining === undefined ? [] : [`${eta(of.remaining)} left`]),
  ];
  return line("total", share(of), facts, style, paint.bold);
}

function share({ done, total }: CollectionProgress | RunProgress): number {
  return percent(done, total) ?? 0;
}

/** Facts that do not fit are left out, the first one first. */
function line(
  name: string,
  share: number | undefined,
  facts: readonly string[],
  style: BarStyle,
  paintName: (text: string) => string = (text) => text,
): string {
  const { columns, paint } = style;
  const width = Math.max(8, Math.min(30, Math.floor(columns / 3) - 12));
  const filled = share === undefined ? 0 : Math.round((width * share) / 100);
  const bar = share === undefined ? "" : "█".repeat(filled);
  const number = share === undefined ? "" : `${share}%`;
  const kept = [...facts];
  let room = columns - 1 - (style.nameWidth + 2 + width + 2 + 4);
  room -= 2 * kept.length;
  while (kept.length > 0 && textWidth(kept.join("")) > room) {
    kept.shift();
    room += 2;
  }
  return [
    paintName(pad(cutMiddle(name, style.nameWidth), style.nameWidth)),
    paint.cyan(bar) + paint.dim((share === undefined ? " " : "░").repeat(width - filled)),
    pad(number, 4, "right"),
    ...kept,
  ].join("  ");
}
