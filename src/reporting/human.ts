import { type Clean, cleaned, cleanText } from "./clean.ts";
import type { ProgressView, ReportingContext } from "./context.ts";
import { expectedCopy } from "./expected.ts";
import { failureText } from "./failure-text.ts";
import { planText } from "./plan-text.ts";
import { reportText } from "./report-text.ts";
import type { Reporter } from "./reporter.ts";
import type { Sink } from "./streams.ts";

/** For people: talk on stderr, the result on stdout, and between them whatever shows the progress. */
export function human(context: ReportingContext, view: ProgressView): Reporter {
  const { stdout, stderr, verbose } = context;
  const clean: Clean = cleanText(context.redactor);
  let said = false;
  const say = (line: string) => {
    said = true;
    view.aside(() => stderr.write(`${line}\n`));
  };
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
      said = false;
      view.aside(() => stdout.write(`${planText(shown, styleOf(stdout))}\n`));
    },
    meter: (collection, documents, done) => view.meter(clean(collection), documents, done),
    comparison: (comparison) =>
      view.aside(() =>
        stdout.write(`diff\n  from  ${clean(comparison.source)}\n  to    ${clean(comparison.target)}\n\n`),
      ),
    difference: (difference) =>
      view.aside(() => stdout.write(`${difference.sigil} ${clean(difference.key)}\n`)),
    changePlan() {},
    compared: (report) => {
      view.close();
      stdout.write(`${clean(report.verdict)}\n`);
    },
    changed: (report) => {
      view.close();
      stdout.write(`${clean(report.verdict)}\n`);
    },
    finish: (report) => {
      view.close();
      if (said && stderr.isTTY) {
        stderr.write("\n");
      }
      stdout.write(reportText(cleaned(report, clean), styleOf(stdout)));
    },
    fail: (error) => {
      view.close();
      stderr.write(failureText(error, clean, stderr.paint));
    },
    close: () => view.close(),
  };
}

function styleOf(stream: Sink) {
  return { width: stream.width, paint: stream.paint };
}
