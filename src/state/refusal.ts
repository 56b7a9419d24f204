import { DualsyncError } from "../errors.ts";

/** Something in the state folder that is not as dualsync leaves it. It is never mended, guessed at or passed over. */
export function refusal(path: string, problem: string, advice: string): DualsyncError {
  return new DualsyncError("local", `${path} ${problem}.`, { hint: `Nothing was changed. ${advice}` });
}
