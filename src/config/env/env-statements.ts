/** One assignment of a `.env` file: a line, or several when a quoted value spans them. */
export interface Statement {
  readonly line: number;
  readonly name: string;
  /** Everything after the `=`, comments and quotes included. */
  readonly text: string;
  /** True when an unquoted `#` glued to the value ends it, which is seldom meant. */
  readonly cut: boolean;
  /** True when the value begins with a quotation mark that is never closed. */
  readonly open: boolean;
}

export interface Statements {
  readonly statements: readonly Statement[];
  /** Numbers of the lines that are neither an assignment, nor empty, nor a comment. */
  readonly strayLines: readonly number[];
}

const ASSIGNMENT = /^[ \t]*(?:export[ \t]+)?([A-Za-z_][\w.-]*)[ \t]*=[ \t]*/;

/**
 * Cuts a `.env` file into its assignments. Node's own parser takes a stray line and the assignment after it for one
 * name, so it is given one assignment at a time. `text` has only `\n` between lines.
 */
export function splitStatements(text: string): Statements {
  const statements: Statement[] = [];
  const strayLines: number[] = [];
  let position = 0;
  let line = 1;
  while (position < text.length) {
    const lineEnd = endOfLine(text, position);
    const row = text.slice(position, lineEnd);
    const match = ASSIGNMENT.exec(row);
    let end = lineEnd;
    if (match?.[1] !== undefined) {
      const start = position + match[0].length;
      const value = endOfValue(text, start, lineEnd);
      end = value.end;
      statements.push({
        line,
        name: match[1],
        text: text.slice(start, end),
        cut: value.cut,
        open: value.open,
      });
    } else if (!/^[ \t]*(?:#|$)/.test(row)) {
      strayLines.push(line);
    }
    line += newlines(text, position, end) + 1;
    position = end + 1;
  }
  return { statements, strayLines };
}

function endOfValue(
  text: string,
  start: number,
  lineEnd: number,
): { end: number; cut: boolean; open: boolean } {
  const quote = text[start];
  if (quote === '"' || quote === "'" || quote === "`") {
    const close = text.indexOf(quote, start + 1);
    return close === -1
      ? { end: lineEnd, cut: false, open: true }
      : { end: endOfLine(text, close), cut: false, open: false };
  }
  return { end: lineEnd, cut: isCut(text.slice(start, lineEnd)), open: false };
}

/** A `#` after a blank is an ordinary comment; one that is glued to the value was probably a part of it. */
function isCut(value: string): boolean {
  const hash = value.indexOf("#");
  if (hash === -1) return false;
  return hash === 0 ? /^#[^ \t#]/.test(value) : /[^ \t]/.test(value.charAt(hash - 1));
}

function endOfLine(text: string, from: number): number {
  const newline = text.indexOf("\n", from);
  return newline === -1 ? text.length : newline;
}

function newlines(text: string, from: number, to: number): number {
  let count = 0;
  for (let at = text.indexOf("\n", from); at !== -1 && at < to; at = text.indexOf("\n", at + 1)) count += 1;
  return count;
}
