/** What the texts for people have in common. */
import type { ChalkInstance } from "chalk";

export interface TextStyle {
  /** Columns of the terminal; Infinity where there is none. */
  readonly width: number;
  readonly paint: ChalkInstance;
  /** Long tables are shown whole. */
  readonly verbose?: boolean;
}

/** A collection under the name it has in the source, and in the target where that differs. */
export function collectionName(source: string, target: string): string {
  return source === target ? source : `${source} → ${target}`;
}

/** Stands for a number that there is not. */
export const NO_NUMBER = "-";
