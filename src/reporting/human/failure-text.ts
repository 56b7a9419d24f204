import type { ChalkInstance } from "chalk";
import type { DualsyncError } from "../../model/errors.ts";
import type { Clean } from "../text/clean.ts";

const ISSUES = "https://github.com/dualsync/dualsync/issues";

/** A failure as people read it, ended by a line break. Only the line breaks of the hint and of a stack are kept. */
export function failureText(error: DualsyncError, clean: Clean, paint: ChalkInstance): string {
  const lines = [`${paint.bold.red("error:")} ${clean(error.message)}`];
  if (error.hint !== undefined) {
    lines.push(...error.hint.split("\n").map(clean));
  }
  if (error.exit === "bug") {
    lines.push(
      ...stack(error)
        .split("\n")
        .map((line) => paint.dim(clean(line))),
      `This is a bug in dualsync. Please report it with the lines above: ${ISSUES}`,
    );
  }
  return `${lines.join("\n")}\n`;
}

/** The same on one line, for logs and mails: command, code and its name, what failed, what to do. */
export function failureLine(command: string, error: DualsyncError, exitCode: number, clean: Clean): string {
  const hint = error.hint === undefined ? "" : ` ${error.hint.replace(/\s*\n\s*/g, " ")}`;
  const report = error.exit === "bug" ? ` Please report it: ${ISSUES}` : "";
  return `dualsync ${command}: error ${exitCode} (${error.exit}): ${clean(`${error.message}${hint}${report}`)}\n`;
}

/** Where it happened, the causes included. Not cleaned. */
export function stack(error: DualsyncError): string {
  const texts = [error.stack ?? error.message];
  let cause = error.cause;
  for (let depth = 0; depth < 5 && cause !== undefined; depth += 1) {
    texts.push(`caused by ${cause instanceof Error ? (cause.stack ?? cause.message) : String(cause)}`);
    cause = cause instanceof Error ? cause.cause : undefined;
  }
  return texts.join("\n");
}
