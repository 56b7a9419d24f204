import { DualsyncError } from "../../model/errors.ts";
import type { RunContext } from "../command.ts";

/** What a person is asked, and what is said where nobody can be asked. */
export interface Question {
  readonly question: string;
  readonly nobody: string;
  readonly hint: string;
}

/** Goes on when the person says yes. @throws DualsyncError `refused` when they do not, or cannot be asked */
export async function assertConfirmed(
  { confirm, signal }: RunContext,
  { question, nobody, hint }: Question,
): Promise<void> {
  if (confirm === undefined)
    throw new DualsyncError("refused", nobody, { hint: `Nothing was changed. ${hint}` });
  if (await confirm(question)) return;
  signal.throwIfAborted();
  throw new DualsyncError("refused", "Not confirmed.", { hint: "Nothing was changed." });
}
