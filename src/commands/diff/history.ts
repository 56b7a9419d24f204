import {
  type Interrupted,
  type Memory,
  memoryFromJson,
  NOTHING,
} from "../../core/compare/progress/diff-history.ts";
import { stalenessReason } from "../run/staleness.ts";
import type { DiffOptions } from "./diff-options.ts";

export interface Remembered {
  readonly memory: Memory;
  /** The interrupted comparison that is resumed. */
  readonly resumed?: Interrupted | undefined;
  /** Why an interrupted one is not. */
  readonly objection?: string | undefined;
}

/** @throws DualsyncError `local` when the state file is damaged, foreign or newer than this program */
export async function remember(options: DiffOptions): Promise<Remembered> {
  if (options.restart) return { memory: NOTHING };
  const content = await options.state.read();
  if (content === undefined) return { memory: NOTHING };
  const memory = memoryFromJson(content, options.state.path);
  const { interrupted } = memory;
  if (interrupted === undefined) return { memory };
  const objection = objectionTo(interrupted, options);
  return objection === undefined ? { memory, resumed: interrupted } : { memory, objection };
}

function objectionTo(interrupted: Interrupted, { ignoreFieldOrder }: DiffOptions): string | undefined {
  if (!interrupted.exact && !ignoreFieldOrder) return "it ignored the order of fields";
  return stalenessReason(interrupted);
}
