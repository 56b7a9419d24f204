/** A difference in words, as every way of showing it to people has them. */

import type { Difference, FieldDifference } from "../../model/reporter.ts";
import { bytes } from "../../model/size-text.ts";
import { count } from "./format.ts";
import { shortened } from "./text-width.ts";
import { minute } from "./time-window.ts";

/** No path, value or reason is shown longer than this. */
const LONGEST = 300;
const ABSENT = "absent";

/** The key without the word "document", which most of them begin with. */
export function shownKey(key: string): string {
  return key.startsWith("document ") ? key.slice("document ".length) : key;
}

/** What differs, as far as its fields do not show it. */
export function whatDiffers({ kind, sigil, detail, source, target }: Difference): string {
  const reason = detail === undefined ? undefined : shortened(detail, LONGEST);
  switch (kind) {
    case "missing":
      return `only in the source${size(source)}`;
    case "extra":
      return `only in the target${size(target)}`;
    case "changed":
      return reason ?? "different bytes";
    case "idtype":
      return reason ?? "the same _id to the server, stored differently";
    case "metadata":
      return reason ?? (sigil === "+" || sigil === "-" ? onlyIn(sigil) : "differs");
    case "content":
      return reason ?? "different documents";
    case "unreadable":
      return `could not be compared${reason === undefined ? "" : `: ${reason}`}`;
  }
}

/** What was seen first so many milliseconds ago was seen by a former comparison. */
const FORMER = 60_000;

/** What else there is to know: each is a word or two. */
export function marks(difference: Difference): string[] {
  const { state, rounds, drift, counted, kind, firstSeen, lastSeen } = difference;
  const former = lastSeen.getTime() - firstSeen.getTime() >= FORMER;
  return [
    ...(state === "moving" ? [`still changing (read ${count(rounds, "time")})`] : []),
    ...(drift === undefined ? [] : [drift]),
    ...(former ? [`since ${minute(firstSeen)}`] : []),
    ...(counted ? [] : [kind === "extra" ? "not counted" : "accepted"]),
  ];
}

/** For example "/total int → long", "/name string "a" → "b"", "/tags absent → array", "order of fields". */
export function fieldText(field: FieldDifference): string {
  const { source, target, sourceValue, targetValue } = field;
  const path = fieldPath(field);
  if (path === "") return fieldNote(field);
  const same = source !== undefined && source === target;
  const change =
    same && sourceValue === undefined && targetValue === undefined
      ? source
      : `${side(source, sourceValue)} → ${side(same ? undefined : target, targetValue)}`;
  return [path, change, fieldNote(field)].filter((part) => part !== "").join(" ");
}

/** The path as it is shown; a document's own is empty. */
export function fieldPath({ path, note }: FieldDifference): string {
  if (path === "") return note === undefined ? "the document" : "";
  return shortened(path, LONGEST);
}

/** A type, with its value where that is known. */
export function side(type: string | undefined, value: string | undefined): string {
  const short = value === undefined ? [] : [shownValue(value)];
  return [...(type === undefined && value !== undefined ? [] : [type ?? ABSENT]), ...short].join(" ");
}

export function shownValue(value: string): string {
  return shortened(value, LONGEST);
}

function fieldNote({ path, note }: FieldDifference): string {
  if (note === undefined) return "";
  const short = shortened(note, LONGEST);
  return path === "" ? short : `(${short})`;
}

function onlyIn(sigil: "+" | "-"): string {
  return sigil === "+" ? "only in the source" : "only in the target";
}

function size(side: { readonly bytes: number } | undefined): string {
  return side === undefined ? "" : ` (${bytes(side.bytes)})`;
}
