/** How many columns of a terminal a text takes, and how to make it take fewer. */
import stringWidth from "string-width";

const graphemes = new Intl.Segmenter("en", { granularity: "grapheme" });

/** Columns that `text` takes. It must hold no escape sequences. */
export function textWidth(text: string): number {
  return stringWidth(text, { countAnsiEscapeCodes: true });
}

/**
 * `text` in at most `width` columns; what is taken away comes out of the middle, since names that look alike differ at
 * their ends. Never cuts through a character.
 */
export function cutMiddle(text: string, width: number): string {
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
  for (const word of text.split(" ")) {
    const longer = line === undefined ? word : `${line} ${word}`;
    if (line !== undefined && line.trim() !== "" && textWidth(longer) > width) {
      lines.push(line);
      line = indent + word;
    } else {
      line = longer;
    }
  }
  return [...lines, line].join("\n");
}
