/**
 * A plain table that fits its terminal. Written by hand: cli-table3 cuts numbers too, and cannot fall back to blocks.
 */
import { cutMiddle, pad, textWidth } from "./text-width.ts";

export interface TableColumn {
  /** A line break stacks the heading on two lines; after a hyphen it divides a word. */
  readonly heading: string;
  /** Numbers stand on the right. */
  readonly align: "left" | "right";
  /** May this column's cells be shortened, so that the table fits? */
  readonly cut?: boolean;
}

/** A cell is text without escape sequences; `paint` colours it after it has been measured. */
export interface Cell {
  readonly text: string;
  readonly paint?: (text: string) => string;
}

export interface TableStyle {
  /** Columns of the terminal; Infinity for a pipe or a file, where nothing is shortened. */
  readonly width: number;
  /** Colours the headings. */
  readonly heading?: (text: string) => string;
}

/** A name shortened further than this says nothing. */
const SHORTEST_NAME = 12;

/**
 * The table, each line ended by a line break. When it cannot be made to fit, neither by shortening names nor by standing
 * closer, each row becomes a block of its own: a number is never shortened and never broken.
 */
export function table(
  columns: readonly TableColumn[],
  rows: readonly (readonly (Cell | string)[])[],
  style: TableStyle,
): string {
  const cells = rows.map((row) => row.map((cell) => (typeof cell === "string" ? { text: cell } : cell)));
  const natural = columns.map((column, index) =>
    Math.max(
      ...column.heading.split("\n").map(textWidth),
      ...cells.map((row) => textWidth(row[index]?.text ?? "")),
    ),
  );
  for (const gap of ["  ", " "]) {
    const widths = fittingWidths(columns, natural, style.width - gap.length * (columns.length - 1));
    if (widths !== undefined) {
      return grid(columns, cells, widths, gap, style);
    }
  }
  return blocks(columns, cells, style.width);
}

/** Widths whose sum is at most `room`, or undefined. */
function fittingWidths(
  columns: readonly TableColumn[],
  natural: readonly number[],
  room: number,
): number[] | undefined {
  let excess = natural.reduce((sum, width) => sum + width, 0) - room;
  const widths = natural.map((width, index) => {
    if (excess <= 0 || columns[index]?.cut !== true) {
      return width;
    }
    const shorter = Math.max(Math.min(width, SHORTEST_NAME), width - excess);
    excess -= width - shorter;
    return shorter;
  });
  return excess > 0 ? undefined : widths;
}

function grid(
  columns: readonly TableColumn[],
  rows: readonly (readonly Cell[])[],
  widths: readonly number[],
  gap: string,
  style: TableStyle,
): string {
  const stacks = columns.map((column) => column.heading.split("\n"));
  const height = Math.max(...stacks.map((stack) => stack.length));
  const paint = style.heading;
  const headings = Array.from({ length: height }, (_, line) =>
    stacks.map((stack): Cell => {
      const text = stack[line - height + stack.length] ?? "";
      return paint === undefined ? { text } : { text, paint };
    }),
  );
  return [...headings, ...rows]
    .map((row) => {
      const parts = row.map((cell, index) => {
        const width = widths[index] ?? 0;
        const text = cutMiddle(cell.text, width);
        const padded = pad(text, width, columns[index]?.align ?? "left");
        return cell.paint === undefined ? padded : padded.replace(text, () => cell.paint?.(text) ?? text);
      });
      return `${parts.join(gap).trimEnd()}\n`;
    })
    .join("");
}

/** Each row as its first cell on a line and the others below, as "heading value", broken between them only. */
function blocks(columns: readonly TableColumn[], rows: readonly (readonly Cell[])[], width: number): string {
  const indent = "  ";
  return rows
    .map(([first, ...rest]) => {
      const lines = [cutMiddle(first?.text ?? "", width)];
      let line = "";
      rest.forEach((cell, index) => {
        if (cell.text === "") {
          return;
        }
        const heading = columns[index + 1]?.heading.replace("-\n", "").replace("\n", " ") ?? "";
        const part = `${heading} ${cell.text}`;
        if (line !== "" && textWidth(`${indent}${line}, ${part},`) > width) {
          lines.push(`${indent}${line},`);
          line = "";
        }
        line += line === "" ? part : `, ${part}`;
      });
      lines.push(indent + line);
      return `${lines.join("\n")}\n`;
    })
    .join("");
}
