import { DualsyncError } from "../errors.ts";

/** How long a journal is kept, in days. */
export const KEPT_DAYS = 30;

/** Whose changes a journal holds. */
export interface UndoHead {
  readonly run: string;
  readonly command: string;
  /** Labels, without credentials. */
  readonly target: string;
  readonly source: string;
  readonly started: Date;
}

/** What became of the run, and of its undoing. */
export type UndoMark = "complete" | "undoing" | "undone";

const MARKS: readonly unknown[] = ["complete", "undoing", "undone"] satisfies UndoMark[];

/** Whether a journal can have this name: it becomes part of a file's name. */
export function isRunId(run: string): boolean {
  return /^[0-9a-f]{8}$/.test(run);
}

export function journalName(run: string): string {
  if (!isRunId(run)) throw new DualsyncError("bug", "A run's id is 8 hexadecimal digits.");
  return `undo-${run}.journal`;
}

/** The run that a file's name belongs to; undefined for files that are no journals. */
export function runOfName(name: string): string | undefined {
  return /^undo-([0-9a-f]{8})\.journal$/.exec(name)?.[1];
}

export function keptUntil(since: Date): Date {
  return new Date(since.getTime() + KEPT_DAYS * 24 * 60 * 60 * 1000);
}

export function encodeHead(head: UndoHead): Buffer {
  return Buffer.from(JSON.stringify(head));
}

/** Undefined for what `encodeHead` did not make. */
export function decodeHead(payload: Buffer): UndoHead | undefined {
  const { run, command, target, source, started } = parsed(payload);
  const time = typeof started === "string" ? new Date(started) : new Date(Number.NaN);
  if (typeof run !== "string" || !isRunId(run) || Number.isNaN(time.getTime())) return undefined;
  if (typeof command !== "string" || typeof target !== "string" || typeof source !== "string")
    return undefined;
  return { run, command, target, source, started: time };
}

export function encodeMark(mark: UndoMark): Buffer {
  return Buffer.from(JSON.stringify({ mark, at: new Date() }));
}

export function decodeMark(payload: Buffer): UndoMark | undefined {
  const { mark } = parsed(payload);
  return MARKS.includes(mark) ? (mark as UndoMark) : undefined;
}

function parsed(payload: Buffer): Record<string, unknown> {
  try {
    const content: unknown = JSON.parse(payload.toString());
    return typeof content === "object" && content !== null ? (content as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
