import type { Reporter } from "../../model/reporter.ts";
import type { ProgressView, ReportingContext } from "../context.ts";
import { expectedChanges, expectedComparison, expectedCopy } from "../progress/expected.ts";
import type { TextStream } from "../streams.ts";
import { type Clean, cleaned, cleanText } from "../text/clean.ts";
import { changedText, changePlanText } from "./change-text.ts";
import { comparedText, comparisonText } from "./diff-text.ts";
import { DifferenceList } from "./difference-list.ts";
import { failureText } from "./failure-text.ts";
import { planText } from "./plan-text.ts";
import { reportText } from "./report-text.ts";

/** For people: talk on stderr, the result on stdout, and between them whatever shows the progress. */
export function human(context: ReportingContext, view: ProgressView): Reporter {
  const { stdout, stderr, verbose } = context;
  const clean: Clean = cleanText(context.redactor);
  const { say, show, conclude } = talk(context, view);
  const differences = new DifferenceList({ paint: stdout.paint, verbose });
  return {
    note: (message) => say(clean(message)),
    warn: (message) => say(`${stderr.paint.yellow("warning:")} ${clean(message)}`),
    detail: (message) => {
      if (verbose) {
        say(stderr.paint.dim(clean(message)));
      }
    },
    plan: (plan) => {
      const shown = cleaned(plan, clean);
      view.expect(expectedCopy(shown));
      show(`${planText(shown, styleOf(stdout))}\n`);
    },
    meter: (collection, documents, done) => view.meter(clean(collection), documents, done),
    comparison: (comparison) => {
      const shown = cleaned(comparison, clean);
      view.expect(expectedComparison(shown));
      show(`${comparisonText(shown, styleOf(stdout))}\n`);
    },
    difference: (difference) => {
      if (differences.admits(difference)) {
        show(differences.line(cleaned(difference, clean)));
      }
    },
    changePlan: (plan) => {
      const shown = cleaned(plan, clean);
      view.expect(expectedChanges(shown));
      show(`${changePlanText(shown, styleOf(stdout))}\n`);
    },
    compared: (report) => {
      const shown = cleaned(report, clean);
      const list = differences.ending(clean, shown.collections);
      conclude(`${list}${comparedText(shown, styleOf(stdout))}`);
    },
    changed: (report) => conclude(changedText(cleaned(report, clean), styleOf(stdout))),
    finish: (report) => conclude(reportText(cleaned(report, clean), styleOf(stdout))),
    fail: (error) => {
      view.close();
      stdout.write(differences.hidden(clean));
      stderr.write(failureText(error, clean, stderr.paint));
    },
    ready: () => stdout.ready(),
    close: () => view.close(),
  };
}

function styleOf(stream: TextStream) {
  return { width: stream.width, paint: stream.paint };
}

/** How a human reporter speaks while something shows the progress. */
interface Talk {
  /** A line for stderr, ended here. */
  say(line: string): void;
  /** A part of the result that is known already; ends its own lines. */
  show(text: string): void;
  /** The result, or its end: progress is no longer shown. */
  conclude(text: string): void;
}

function talk({ stdout, stderr }: ReportingContext, view: ProgressView): Talk {
  let said = false;
  return {
    say: (line) => {
      said = true;
      view.aside(() => stderr.write(`${line}\n`));
    },
    show: (text) => {
      said = false;
      // What goes to a file or a pipe is not in the way of what is on the terminal.
      if (stdout.isTTY) view.aside(() => stdout.write(text));
      else stdout.write(text);
    },
    conclude: (text) => {
      view.close();
      if (said && stderr.isTTY) {
        stderr.write("\n");
      }
      stdout.write(text);
    },
  };
}
