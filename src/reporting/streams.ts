/** The two streams of the process, as a reporter sees them. */
import { Chalk, type ChalkInstance } from "chalk";

/** What a reporter needs of `process.stdout` and `process.stderr`. */
export interface OutputStream extends NodeJS.WritableStream {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  readonly rows?: number | undefined;
  readonly writableNeedDrain?: boolean | undefined;
}

/** A stream that can be written to at any time: when nobody is reading, what is written is dropped. */
export interface TextStream {
  readonly isTTY: boolean;
  /** Columns of the terminal, 80 when it does not say; Infinity when this is not a terminal. */
  readonly width: number;
  readonly rows: number;
  /** Colours for this stream; the identity where colours are off. */
  readonly paint: ChalkInstance;
  write(text: string): void;
  /** Resolves when the reader has taken most of what was written, or has gone. */
  ready(): Promise<void>;
  /** What ended the stream: EPIPE when its reader has gone, ENOSPC when a disk is full; undefined while it works. */
  readonly lost: NodeJS.ErrnoException | undefined;
}

export interface TextStreamOptions {
  /** False: `--no-color` was given. True says nothing: it is what an option parser makes of its absence. */
  readonly color?: boolean | undefined;
  readonly env: NodeJS.ProcessEnv;
}

/**
 * Whether this stream gets colours (1) or not (0). In this order, the first that speaks decides: `--no-color`, NO_COLOR
 * (not empty), FORCE_COLOR ("0" and "false" mean no), TERM=dumb, whether the stream is a terminal. The basic colours
 * are all that is used, so there is no higher level.
 */
export function colorLevel(stream: OutputStream, { color, env }: TextStreamOptions): 0 | 1 {
  if (color === false || (env.NO_COLOR ?? "") !== "") {
    return 0;
  }
  const forced = env.FORCE_COLOR;
  if (forced !== undefined) {
    return forced === "0" || forced === "false" ? 0 : 1;
  }
  return env.TERM !== "dumb" && stream.isTTY === true ? 1 : 0;
}

/**
 * Opens a stream for reporting. Its errors are remembered, not thrown: a reader that goes away (`| head`) is no failure of
 * the run, and it is for the caller to say what a full disk means.
 */
export function textStream(stream: OutputStream, options: TextStreamOptions): TextStream {
  let lost: NodeJS.ErrnoException | undefined;
  stream.on("error", (error: NodeJS.ErrnoException) => {
    lost ??= error;
  });
  const isTTY = stream.isTTY === true;
  return {
    isTTY,
    get width() {
      return isTTY ? stream.columns || 80 : Number.POSITIVE_INFINITY;
    },
    get rows() {
      return stream.rows || 24;
    },
    paint: new Chalk({ level: colorLevel(stream, options) }),
    write(text) {
      if (lost === undefined) {
        stream.write(text);
      }
    },
    ready: () =>
      new Promise((resolve) => {
        if (lost !== undefined || stream.writableNeedDrain !== true) {
          resolve();
          return;
        }
        const end = () => {
          for (const event of ["drain", "error", "close"]) {
            stream.off(event, end);
          }
          resolve();
        };
        for (const event of ["drain", "error", "close"]) {
          stream.on(event, end);
        }
      }),
    get lost() {
      return lost;
    },
  };
}
