import type { ChalkInstance } from "chalk";
import type { Item } from "../../model/item.ts";
import { grouped } from "../text/format.ts";

/** More items than this are counted, not listed. */
const SHOWN_ITEMS = 50;

/**
 * Items under their heading, `count` in all. What was not accepted comes first: a known exception must not push a new
 * loss out of observation.
 */
export function itemList(
  heading: string,
  items: readonly Item[],
  count: number,
  paint: ChalkInstance,
): string {
  const sorted = [...items.filter((item) => !item.accepted), ...items.filter((item) => item.accepted)];
  const shown = sorted.slice(0, SHOWN_ITEMS);
  const lines = [
    paint.bold(`${heading}: ${grouped(count)}`),
    ...shown.map((item) => itemLine(item, paint)),
    ...(count > shown.length ? [`  and ${grouped(count - shown.length)} more`] : []),
  ];
  return `${lines.join("\n")}\n`;
}

function itemLine(item: Item, paint: ChalkInstance): string {
  const line = `${item.key}: ${item.reason}`;
  return item.accepted ? `  ${paint.dim(`(accepted) ${line}`)}` : `  ${line}`;
}
