/** How many columns of a terminal a text takes, and how to make it take fewer. */

const graphemes = new Intl.Segmenter("en", { granularity: "grapheme" });

/** Characters without a column of their own: combining marks, joiners, variation selectors, controls. */
const ZERO = /^[\p{Mark}\p{Cc}\p{Cf}\p{Zl}\p{Zp}\u1160-\u11ff]+$/u;

/** Two columns: East Asian wide and full-width characters, and what is drawn as a picture. */
const WIDE =
  /^(?:[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{17000}-\u{18cff}\u{1b000}-\u{1b2ff}\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}|\p{Regional_Indicator}{2}|\p{Emoji}\ufe0f)/u;

function graphemeWidth(grapheme: string): number {
  if (grapheme.length === 1 && grapheme >= " " && grapheme <= "~") {
    return 1;
  }
  if (ZERO.test(grapheme)) {
    return 0;
  }
  return WIDE.test(grapheme) ? 2 : 1;
}

/** Columns that `text` takes. It must hold no escape sequences. */
export function textWidth(text: string): number {
  if (/^[ -~]*$/.test(text)) {
    return text.length;
  }
  let width = 0;
  for (const { segment } of graphemes.segment(text)) {
    width += graphemeWidth(segment);
  }
  return width;
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
    left -= graphemeWidth(part);
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
