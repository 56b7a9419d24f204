import { DualsyncError } from "../../../model/errors.ts";
import { faultOf } from "../../http/fault.ts";
import { isOfProject, NO_TABLE, refusalCode } from "./fault.ts";
import type { Project } from "./project.ts";

/** A name that no table of an application has. */
const ABSENT = "_dualsync_absent";

/**
 * The error of a request for one table, as one of that table alone where the project answers another request as it should: gateways
 * and proxies refuse single paths, and a view may be all that fails. What is the matter with the project stays as it is.
 */
export async function narrowed(project: Project, error: unknown, signal: AbortSignal): Promise<unknown> {
  if (signal.aborted || !(error instanceof DualsyncError) || error.ofOneCollection) return error;
  const fault = faultOf(error);
  if (fault === undefined ? !(error.cause instanceof RangeError) : isOfProject(fault)) return error;
  if (!(await answers(project, signal))) return error;
  const { exit, message, hint, cause, retryable, reason } = error;
  return new DualsyncError(exit, message, { hint, cause, retryable, reason, ofOneCollection: true });
}

/** The work on one table, which fails as `narrowed` says. */
export async function ofTable<T>(project: Project, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw await narrowed(project, error, signal);
  }
}

/** Whether the project says of a table that is not there that it is not there, and does so in whole sentences. */
async function answers(project: Project, signal: AbortSignal): Promise<boolean> {
  try {
    await project.rows(ABSENT, { select: [], limit: 0 }, signal);
    return true;
  } catch (error) {
    if (signal.aborted) throw error;
    return NO_TABLE.has(refusalCode(error) ?? "");
  }
}
