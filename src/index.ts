/** What programs may import. The commands join as they become stable; today: the outcomes of a run. */
export { DualsyncError, EXIT_CODES, type ExitName, exitCode } from "./model/errors.ts";
