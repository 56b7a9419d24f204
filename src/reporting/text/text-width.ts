/** How many columns of a terminal a text takes, and how to make it take fewer. */
import stringWidth from "string-width";

const graphemes = new Intl.Segmenter("en", { granularity: "grapheme" });

/** Columns that `text` takes. It must hold no escape sequences. */
export function textWidth(text: string): number {
  // Whatever is not ASCII is divided by the ICU library, whose objects the garbage collector takes for large ones.
  if (/^[ -~]*$/.test(text)) return text.length;
  return remembered(widths, text, () => stringWidth(text, { countAnsiEscapeCodes: true }));
}

/** What is drawn again and again is a few texts. */
const MOST_REMEMBERED = 1_000;
const widths = new Map<string, number>();
const cuts = new Map<string, string>();

function remembered<T>(known: Map<string, T>, key: string, find: () => T): T {
  const found = known.get(key) ?? find();
  if (known.size >= MOST_REMEMBERED) known.clear();
  known.set(key, found);
  return found;
}

/**
 * `text` in at most `width` columns; what is taken away comes out of the middle, since names that look alike differ at
 * their ends. Never cuts through a character.
 */
export function cutMiddle(text: string, width: number): string {
  return remembered(cuts, `${width} ${text}`, () => cutNow(text, width));
}

function cutNow(text: string, width: number): string {
  if (textWidth(text) <= width) {
    return text;
  }
  if (width < 1) {
    return "";
  }
  const parts = Array.from(graphemes.segment(text), ({ segment }) => segment);
  const tailWidth = Math.floor((width - 1) / 2);
  const tail = take(parts.toReversed(), tailWidth).reverse();
  const head = take(parts, width - 1 - textWidth(tail.join("")));
  return `${head.join("")}…${tail.join("")}`;
}

/** `text` with its middle left out where it has more than `length` code units. Takes no time, however long it is. */
export function shortened(text: string, length: number): string {
  if (text.length <= length) return text;
  const half = Math.floor((length - 1) / 2);
  // Half a character is none.
  const head = text.slice(0, half).replace(/[\ud800-\udbff]$/, "");
  const tail = text.slice(-half).replace(/^[\udc00-\udfff]/, "");
  return `${head}…${tail}`;
}

/** As many leading parts as fit into `width` columns. */
function take(parts: readonly string[], width: number): string[] {
  const taken = [];
  let left = width;
  for (const part of parts) {
    left -= textWidth(part);
    if (left < 0) {
      break;
    }
    taken.push(part);
  }
  return taken;
}

/** `text` with blanks after it (or before it), up to `width` columns. */
export function pad(text: string, width: number, side: "left" | "right" = "left"): string {
  const blanks = " ".repeat(Math.max(0, width - textWidth(text)));
  return side === "left" ? text + blanks : blanks + text;
}

/** `text` broken between words into lines of at most `width` columns; every line but the first begins with `indent`. */
export function wrapped(text: string, width: number, indent = ""): string {
  const lines = [];
  let line: string | undefined;
  // Measured bit by bit: a blank belongs to no character beside it.
  let used = 0;
  for (const word of text.split(" ")) {
    const needed = textWidth(word);
    if (line !== undefined && line.trim() !== "" && used + 1 + needed > width) {
      lines.push(line);
      line = indent + word;
      used = textWidth(indent) + needed;
    } else {
      used += line === undefined ? needed : 1 + needed;
      line = line === undefined ? word : `${line} ${word}`;
    }
  }
  return [...lines, line].join("\n");
}
