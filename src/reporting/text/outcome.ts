import { EXIT_CODES } from "../../model/errors.ts";

/** The name of an exit status in the table; "unknown" for a number that is not in it. */
export function outcome(exitCode: number): string {
  return EXIT_CODES.find(({ code }) => code === exitCode)?.name ?? "unknown";
}
