import type { Reporter } from "../model/reporter.ts";
import type { Redactor } from "../redact/redact.ts";
import type { ReportingContext } from "./context.ts";
import { human } from "./human/human.ts";
import { lines } from "./human/lines.ts";
import { quiet } from "./human/quiet.ts";
import { json } from "./json/json.ts";
import { Bars } from "./progress/bars.ts";
import { type OutputStream, textStream } from "./streams.ts";

export interface ReporterOptions {
  /** "auto": bars at a terminal, lines elsewhere. */
  readonly mode: "auto" | "json" | "quiet";
  readonly verbose: boolean;
  /** False for `--no-color`; anything else leaves the choice to the environment and the stream. */
  readonly color?: boolean | undefined;
  /** False for `--no-progress`: lines instead of bars. */
  readonly progress: boolean;
  readonly env: NodeJS.ProcessEnv;
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  readonly redactor: Redactor;
  readonly runId: string;
  readonly command: string;
}

/** A reporter on the streams of a process. */
export interface StreamReporter extends Reporter {
  /**
   * What ended stdout, if anything did: EPIPE when its reader has gone, which is no failure of the run; with another
   * code (ENOSPC) the result was not delivered. Never thrown. Known only after the event loop has turned.
   */
  lost(): NodeJS.ErrnoException | undefined;
}

/** Chooses how a run is reported. `close` must be called before the process ends, however it ends. */
export function createReporter(options: ReporterOptions): StreamReporter {
  const { color, env, redactor, verbose, runId, command } = options;
  const stdout = textStream(options.stdout, { color, env });
  const stderr = textStream(options.stderr, { color, env });
  const context: ReportingContext = { stdout, stderr, redactor, verbose, runId, command };
  return { ...choose(options)(context), lost: () => stdout.lost };
}

function choose({ mode, progress, env, stderr }: ReporterOptions): (context: ReportingContext) => Reporter {
  if (mode === "json") {
    return json;
  }
  if (mode === "quiet") {
    return quiet;
  }
  const automated = !["", "0", "false"].includes(env.CI ?? "");
  return stderr.isTTY === true && progress && !automated && env.TERM !== "dumb" ? terminal : lines;
}

/** For a person at a terminal: bars that are gone when the run is over. */
function terminal(context: ReportingContext): Reporter {
  return human(context, new Bars(context.stderr));
}
