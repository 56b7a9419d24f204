import type { ProgressView, ReportingContext } from "./context.ts";

/** How a human reporter speaks while something shows the progress. */
export interface Talk {
  /** A line for stderr, ended here. */
  say(line: string): void;
  /** A part of the result that is known already; ends its own lines. */
  show(text: string): void;
  /** The result, or its end: nothing shows the progress any more. */
  conclude(text: string): void;
}

export function talk({ stdout, stderr }: ReportingContext, view: ProgressView): Talk {
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
