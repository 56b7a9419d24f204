import { Writable } from "node:stream";
import { MultiBar } from "cli-progress";
import type { Done, Meter } from "../../model/reporter.ts";
import type { ProgressView } from "../context.ts";
import type { TextStream } from "../streams.ts";
import { collectionLine, nameWidth, totalLine } from "./bar-line.ts";
import type { Expected } from "./expected.ts";
import { ProgressLog, type RunProgress } from "./progress.ts";

/** Collections that are shown at once; the others wait until a line is free. */
const MOST_LINES = 6;
const TOTAL = -1;

/**
 * A line for the whole run and below it one for each collection in flight, redrawn in place. While it is on the
 * terminal the cursor is hidden and lines do not wrap; whoever ends the process must call `close` before.
 */
export class Bars implements ProgressView {
  readonly #stderr: TextStream;
  readonly #progress = new ProgressLog(() => performance.now());
  #multi: MultiBar | undefined;
  #frame: RunProgress | undefined;
  #lines = 0;
  #nameWidth = 0;
  #closed = false;

  constructor(stderr: TextStream) {
    this.#stderr = stderr;
  }

  expect(expected: Expected): void {
    this.#progress.expect(expected);
  }

  meter(collection: string, documents: number, done?: Done): Meter {
    const meter = this.#progress.meter(collection, documents, done);
    this.#draw();
    return meter;
  }

  aside(print: () => void): void {
    this.#erase();
    print();
    this.#draw();
    this.#multi?.update();
  }

  close(): void {
    this.#closed = true;
    this.#erase();
  }

  /** Lines are only ever added: a line without a collection is blank, and blank lines are always the lowest. */
  #draw(): void {
    const open = this.#progress.open;
    if (this.#closed || open === 0) {
      return;
    }
    this.#multi ??= this.#start();
    const most = Math.max(1, Math.min(MOST_LINES, this.#stderr.rows - 3));
    for (; this.#lines < Math.min(open, most); this.#lines += 1) {
      this.#multi.create(1, 0, { line: this.#lines });
    }
  }

  #erase(): void {
    this.#multi?.stop();
    this.#multi = undefined;
    this.#lines = 0;
  }

  #start(): MultiBar {
    const multi = new MultiBar({
      stream: terminalStream(this.#stderr),
      format: (_options, _params, payload: { line: number }) => this.#text(payload.line),
      clearOnComplete: true,
      hideCursor: true,
      linewrap: false,
      // A line that moved up or down with unchanged text must be drawn again.
      forceRedraw: true,
      // Its handlers would keep Ctrl-C from the program.
      gracefulExit: false,
    });
    multi.on("update-pre", () => {
      this.#frame = this.#progress.snapshot();
    });
    multi.create(1, 0, { line: TOTAL });
    return multi;
  }

  #text(line: number): string {
    const frame = this.#frame ?? this.#progress.snapshot();
    const columns = this.#stderr.width;
    const names = frame.inFlight.slice(0, MOST_LINES).map(({ collection }) => collection);
    // The column never gets narrower again: bars that jump about cannot be read.
    this.#nameWidth = Math.max(this.#nameWidth, nameWidth(names, columns));
    const style = { columns, nameWidth: this.#nameWidth, paint: this.#stderr.paint };
    const one = frame.inFlight[line];
    if (line === TOTAL) {
      return totalLine(frame, style);
    }
    return one === undefined ? "" : collectionLine(one, style);
  }
}

/** cli-progress wants a stream; everything it writes goes through the textStream, which knows whether anybody reads. */
function terminalStream(
  stderr: TextStream,
): Writable & { readonly isTTY: boolean; readonly columns: number } {
  const stream = new Writable({
    decodeStrings: false,
    write(chunk, _encoding, done) {
      stderr.write(String(chunk));
      done();
    },
  });
  return Object.defineProperties(stream, {
    isTTY: { value: true },
    columns: { get: () => stderr.width },
  }) as Writable & { readonly isTTY: boolean; readonly columns: number };
}
