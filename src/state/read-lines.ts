import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import { diskError } from "./disk-error.ts";
import { refusal } from "./refusal.ts";

/** No line of ours is longer, in characters. */
const LONGEST = 64_000_000;

/** The lines of a file that a person names. @throws DualsyncError `local` where it cannot be read */
export async function* readLines(path: string): AsyncGenerator<string> {
  const stream = createReadStream(path, { encoding: "utf8" });
  let failed: unknown;
  stream.on("error", (error) => {
    failed = error;
  });
  try {
    for await (const line of createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY })) {
      if (line.length > LONGEST)
        throw refusal(path, "has a line of more than 64 MB", "It is no file of dualsync.");
      yield line;
    }
  } catch (error) {
    throw diskError(error, path, "read");
  } finally {
    stream.destroy();
  }
  if (failed !== undefined) throw diskError(failed, path, "read");
}
