import type { Reporter } from "../../model/reporter.ts";
import type { ProgressView, ReportingContext } from "../context.ts";
import { isCounted } from "../progress/phase.ts";
import { ProgressLog, type RunProgress } from "../progress/progress.ts";
import { count, eta, grouped, percent, rate } from "../text/format.ts";
import { human } from "./human.ts";

/** Milliseconds between two progress lines. */
const EVERY = 10_000;

/** For logs, and for terminals where bars are not wanted: whole lines, no cursor movement. */
export function lines(context: ReportingContext): Reporter {
  return human(
    context,
    progressLines((line) => context.stderr.write(`${line}\n`)),
  );
}

function progressLines(write: (line: string) => void): ProgressView {
  const progress = new ProgressLog(() => performance.now());
  let timer: NodeJS.Timeout | undefined;
  let closed = false;
  return {
    expect: (expected) => progress.expect(expected),
    meter: (collection, documents, done) => {
      const meter = progress.meter(collection, documents, done);
      if (timer === undefined && !closed) {
        write(startLine(progress.snapshot()));
        timer = setInterval(() => write(progressLine(progress.snapshot())), EVERY).unref();
      }
      return meter;
    },
    aside: (print) => print(),
    close: () => {
      closed = true;
      clearInterval(timer);
    },
  };
}

function startLine({ total, collections }: RunProgress): string {
  return `started: about ${count(total, "document")} in ${count(collections, "collection")}`;
}

/** For example "copying: 45,000 of 100,000 documents (45%), 12,345/s, about 2 min left". */
export function progressLine({ phase, done, total, rate: speed, remaining }: RunProgress): string {
  if (!isCounted(phase)) {
    return phase;
  }
  const share = percent(done, total);
  return [
    `${phase}: ${grouped(done)} of ${count(total, "document")}${share === undefined ? "" : ` (${share}%)`}`,
    ...(speed === undefined ? [] : [rate(speed)]),
    ...(remaining === undefined ? [] : [`${eta(remaining)} left`]),
  ].join(", ");
}
