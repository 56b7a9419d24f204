import type { FileHandle } from "node:fs/promises";
import { onDisk, refusal } from "../../files/disk-error.ts";
import { openTrustedFile } from "../files/trusted-file.ts";
import { FOLDER, StateFolder } from "../job/state-folder.ts";
import {
  decodeAltered,
  decodeEntries,
  decodeHead,
  decodeHeader,
  decodeMark,
  FORMAT,
  type FrameKind,
  HEADER,
  type JournalEnd,
  journalName,
  SEED,
  START,
  SUM,
  sha256,
  type UndoAltered,
  type UndoEntries,
  type UndoHead,
  type UndoMark,
} from "./undo-format.ts";

const ADVICE =
  "Its contents cannot be trusted. If you have an intact copy of the file, put it back and run the same command again.";

interface Frame extends JournalEnd {
  readonly kind: FrameKind;
  readonly payload: Buffer;
}

/** Reads a journal, a record at a time. Each time it is read every byte is checked; damage is a `local` error. */
export class UndoReader {
  readonly run: string;
  /** For people: relative to the working directory. */
  readonly path: string;
  readonly #folder: StateFolder;
  readonly #name: string;
  /** The last record is not whole: the run was killed while it wrote. Known once everything was read. */
  torn = false;
  bytes = 0;
  modified = new Date(0);
  end: JournalEnd = { offset: 0, sum: SEED };

  constructor(cwd: string, run: string) {
    this.run = run;
    this.#name = journalName(run);
    this.#folder = new StateFolder(cwd);
    this.path = `${FOLDER}/${this.#name}`;
  }

  /** What the journal says about its run; undefined when there is no journal, or one without a single record. */
  async head(): Promise<UndoHead | undefined> {
    for await (const frame of this.#frames()) return this.#head(frame);
    return undefined;
  }

  /** Everything that was saved, in the order in which it was. `onMark` hears of the marks, `onAltered` of altered fields. */
  async *entries(
    onMark?: (mark: UndoMark) => void,
    onAltered?: (altered: UndoAltered) => void,
  ): AsyncGenerator<UndoEntries> {
    let first = true;
    for await (const frame of this.#frames()) {
      if (first) this.#head(frame);
      else if (frame.kind === "mark") onMark?.(this.#mark(frame));
      else if (frame.kind === "altered") onAltered?.(this.#altered(frame));
      else if (frame.kind === "entries") yield this.#entries(frame);
      else throw this.#damaged();
      first = false;
    }
  }

  #head({ kind, payload }: Frame): UndoHead {
    const head = kind === "head" ? decodeHead(payload) : undefined;
    if (head === undefined) throw this.#damaged();
    if (head.run !== this.run) throw refusal(this.path, "is the journal of another run", ADVICE);
    return head;
  }

  #mark({ payload }: Frame): UndoMark {
    const mark = decodeMark(payload);
    if (mark === undefined) throw this.#damaged();
    return mark;
  }

  #altered({ payload }: Frame): UndoAltered {
    const altered = decodeAltered(payload);
    if (altered === undefined) throw this.#damaged();
    return altered;
  }

  #entries({ payload }: Frame): UndoEntries {
    try {
      return decodeEntries(payload);
    } catch (error) {
      throw error instanceof RangeError ? this.#damaged() : error;
    }
  }

  #damaged(): Error {
    return refusal(this.path, "is damaged", ADVICE);
  }

  async *#frames(): AsyncGenerator<Frame> {
    const opened = await onDisk(this.path, "read", async () =>
      (await this.#folder.exists()) ? await openTrustedFile(this.#folder, this.#name, ADVICE) : undefined,
    );
    if (opened === undefined) return;
    const { file, size, modified } = opened;
    try {
      Object.assign(this, { bytes: size, modified, torn: false });
      const begun = await this.#begin(file, size);
      this.end = { offset: begun ? START.length : 0, sum: SEED };
      while (begun && this.end.offset < size) {
        const frame = await onDisk(this.path, "read", () => this.#frame(file, size));
        if (frame === undefined) break;
        this.end = { offset: frame.offset, sum: frame.sum };
        yield frame;
      }
      this.torn = this.end.offset < size;
    } finally {
      await file.close();
    }
  }

  /** False when the run was killed before it had written the first line. */
  async #begin(file: FileHandle, size: number): Promise<boolean> {
    const text = (await onDisk(this.path, "read", () => read(file, 0, Math.min(size, 64)))).toString(
      "latin1",
    );
    const start = START.toString("latin1");
    if (text.startsWith(start)) return true;
    if (start.startsWith(text) || /^\0*$/.test(text)) return false;
    const format = /^\{"dualsync":"undo","format":([1-9]\d{0,8})[,}]/.exec(text)?.[1];
    if (format !== undefined && Number(format) > FORMAT) {
      const advice = "Undo that run with the version that made it.";
      throw refusal(this.path, `was written by a newer version of dualsync (format ${format})`, advice);
    }
    throw this.#damaged();
  }

  /** The next record; undefined when it was not written to its end. */
  async #frame(file: FileHandle, size: number): Promise<Frame | undefined> {
    const { offset, sum: before } = this.end;
    const left = size - offset;
    if (left < HEADER) return undefined;
    const header = await read(file, offset, HEADER);
    const decoded = decodeHeader(header, before);
    if (decoded === undefined) {
      // After a loss of power a file may be as long as it was to be, and hold nothing but zeros there.
      if (await isZero(file, offset, size)) return undefined;
      throw this.#damaged();
    }
    const whole = HEADER + decoded.length + SUM;
    if (left < whole) return undefined;
    const bytes = await read(file, offset + HEADER, whole - HEADER);
    const payload = bytes.subarray(0, decoded.length);
    const sum = sha256(before, header, payload);
    if (sum.equals(bytes.subarray(decoded.length)))
      return { kind: decoded.kind, payload, offset: offset + whole, sum };
    if (left === whole && bytes.subarray(decoded.length).every((byte) => byte === 0)) return undefined;
    throw this.#damaged();
  }
}

async function read(file: FileHandle, offset: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length);
  for (let at = 0; at < length; ) {
    const { bytesRead } = await file.read(bytes, at, length - at, offset + at);
    // Shorter than it was a moment ago: what is not there reads as zeros, which no checksum agrees with.
    if (bytesRead === 0) break;
    at += bytesRead;
  }
  return bytes;
}

async function isZero(file: FileHandle, from: number, to: number): Promise<boolean> {
  for (let at = from; at < to; at += 1_000_000) {
    const bytes = await read(file, at, Math.min(1_000_000, to - at));
    if (bytes.some((byte) => byte !== 0)) return false;
  }
  return true;
}
