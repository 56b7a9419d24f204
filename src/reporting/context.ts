import type { Done, Meter } from "../model/reporter.ts";
import type { Redactor } from "../redact/redact.ts";
import type { Expected } from "./progress/expected.ts";
import type { TextStream } from "./streams.ts";

/** What every reporter is made from. */
export interface ReportingContext {
  readonly stdout: TextStream;
  readonly stderr: TextStream;
  readonly redactor: Redactor;
  readonly verbose: boolean;
  readonly runId: string;
  readonly command: string;
}

/** The part of a human reporter that shows how far the run is. It gets only cleaned names. */
export interface ProgressView {
  expect(expected: Expected): void;
  meter(collection: string, documents: number, done?: Done): Meter;
  /** Runs `print` while nothing of this view is in its way on the terminal. */
  aside(print: () => void): void;
  /** Takes the view off the terminal for good. */
  close(): void;
}

/** A meter for reporters that show no progress. */
export const silentMeter: Meter = { advance() {}, phase() {}, end() {} };
