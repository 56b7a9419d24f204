import type { Reporter } from "../../model/reporter.ts";
import type { ProgressView, ReportingContext } from "../context.ts";
import { expectedChanges, expectedComparison, expectedCopy, expectedSync } from "../progress/expected.ts";
import { type Clean, cleaned, cleanText } from "../text/clean.ts";
import { changedText, changePlanText } from "./change-text.ts";
import { comparedText, comparisonText } from "./diff-text.ts";
import { DifferenceList } from "./difference-list.ts";
import { failureText } from "./failure-text.ts";
import { planText } from "./plan-text.ts";
import { reportText } from "./report-text.ts";
import { serviceText, syncPlanText, syncText } from "./sync-text.ts";

/** For people: talk on stderr, the result on stdout, and between them whatever shows the progress. */
export function human(context: ReportingContext, view: ProgressView): Reporter {
  const { stdout, stderr, verbose } = context;
  const clean: Clean = cleanText(context.redactor);
  const { say, show, conclude, close } = talk(context, view);
  const style = () => ({ width: stdout.width, paint: stdout.paint, verbose });
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
      show(`${planText(shown, style())}\n`);
    },
    meter: (collection, documents, done) => view.meter(clean(collection), documents, done),
    comparison: (comparison) => {
      const shown = cleaned(comparison, clean);
      view.expect(expectedComparison(shown));
      show(`${comparisonText(shown, style())}\n`);
    },
    difference: (difference) => {
      if (differences.admits(difference)) {
        show(differences.line(cleaned(difference, clean)));
      }
    },
    changePlan: (plan) => {
      const shown = cleaned(plan, clean);
      view.expect(expectedChanges(shown));
      show(`${changePlanText(shown, style())}\n`);
    },
    compared: (report) => {
      const shown = cleaned(report, clean);
      const list = differences.ending(clean, shown.collections);
      conclude(`${list}${comparedText(shown, style())}`);
    },
    changed: (report) => conclude(changedText(cleaned(report, clean), style())),
    syncPlan: (plan) => {
      const shown = cleaned(plan, clean);
      view.expect(expectedSync(shown));
      show(`${syncPlanText(shown, style())}\n`);
    },
    synced: (report) => conclude(syncText(cleaned(report, clean), style())),
    checked: (report) => conclude(serviceText(cleaned(report, clean), style())),
    finish: (report) => conclude(reportText(cleaned(report, clean), style())),
    fail: (error) => {
      close();
      stdout.write(differences.hidden(clean));
      stderr.write(failureText(error, clean, stderr.paint));
    },
    ready: () => stdout.ready(),
    close,
  };
}

/** How a human reporter speaks while something shows the progress. */
interface Talk {
  /** A line for stderr, ended here. */
  say(line: string): void;
  /** A part of the result that is known already; ends its own lines. */
  show(text: string): void;
  /** The result, or its end: progress is no longer shown. */
  conclude(text: string): void;
  /** Nothing more is said but what went wrong. */
  close(): void;
}

/** Milliseconds after which somebody who has heard nothing yet is told what is going on. */
const SILENCE = 1_000;

function talk({ stdout, stderr }: ReportingContext, view: ProgressView): Talk {
  let said = false;
  const timer = setTimeout(
    () => view.aside(() => stderr.write("looking at both sides: what they hold, and how much of it\n")),
    SILENCE,
  ).unref();
  return {
    say: (line) => {
      clearTimeout(timer);
      said = true;
      view.aside(() => stderr.write(`${line}\n`));
    },
    show: (text) => {
      clearTimeout(timer);
      said = false;
      // What goes to a file or a pipe is not in the way of what is on the terminal.
      if (stdout.isTTY) view.aside(() => stdout.write(text));
      else stdout.write(text);
    },
    conclude: (text) => {
      clearTimeout(timer);
      view.close();
      if (said && stderr.isTTY) {
        stderr.write("\n");
      }
      stdout.write(text);
    },
    close: () => {
      clearTimeout(timer);
      view.close();
    },
  };
}
