import { readFileSync } from "node:fs";

/** A command that a page tells its reader to type, and what the page says of it. */
export interface PageCommand {
  /** Words behind `dualsync`. */
  readonly args: readonly string[];
  readonly status: number;
  /** Lines that the page shows of what the command prints. */
  readonly shows: readonly string[];
}

const FENCED = /^```(\w*)\n([\s\S]*?)^```$/gm;
const COMMAND = /^\$ npx dualsync (.+?) +# (\d+)$/;

/**
 * The commands of a page, by the heading under which they stand, in their order.
 * @throws Error where a fenced block names the program in a line that is no command with a status
 */
export function commandsOf(page: string): Map<string, PageCommand[]> {
  const found = new Map<string, PageCommand[]>();
  const text = readFileSync(page, "utf8").replace(/^## (.+)$/gm, "\n## $1");
  for (const [heading = "", ...rest] of text.split(/^## /m).map((section) => section.split("\n"))) {
    const commands: (PageCommand & { shows: string[] })[] = [];
    for (const [, , block = ""] of rest.join("\n").matchAll(FENCED))
      for (const line of block.split("\n")) take(commands, line, heading);
    if (commands.length > 0) found.set(heading, commands);
  }
  return found;
}

function take(commands: (PageCommand & { shows: string[] })[], line: string, heading: string): void {
  const [, words, status] = COMMAND.exec(line) ?? [];
  if (words !== undefined) commands.push({ args: words.split(" "), status: Number(status), shows: [] });
  else if (line.startsWith("$")) throw new Error(`${heading}: no command with a status: ${line}`);
  else if (line !== "" && line !== "…") commands.at(-1)?.shows.push(line.trim());
}

/** The text as a page shows it, where "…" stands for anything. */
export function shown(line: string): RegExp {
  const parts = line.split("…").map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(parts.join(".*"));
}
