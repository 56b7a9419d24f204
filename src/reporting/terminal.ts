import { Bars } from "./bars.ts";
import type { ReportingContext } from "./context.ts";
import { human } from "./human.ts";
import type { Reporter } from "./reporter.ts";

/** For a person at a terminal: bars that are gone when the run is over. */
export function terminal(context: ReportingContext): Reporter {
  return human(context, new Bars(context.stderr));
}
