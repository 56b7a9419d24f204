import type { ChalkInstance } from "chalk";

/** How the sentence that ends a run is coloured. */
export function verdictPaint(exitCode: number, paint: ChalkInstance): (text: string) => string {
  if (exitCode === 0) {
    return paint.bold.green;
  }
  return exitCode === 1 || exitCode === 3 ? paint.bold.yellow : paint.bold.red;
}
