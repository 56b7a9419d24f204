import { DualsyncError } from "../../../model/errors.ts";
import type { Run } from "../../contract.ts";
import { type ControlFields, fieldsOf, runRecord } from "../../control/control-records.ts";
import {
  Clocks,
  type HeldLease,
  keepLease,
  lockedBy,
  lostError,
  mayTakeOver,
} from "../../lease/lease-renewal.ts";
import type { Project } from "../api/project.ts";
import { callControl, writeRecord } from "./control-table.ts";

/** What must come back as it was sent: characters that something in between might garble. */
const PROOF = "é😀\u2028\u00a0\"\\'\u007f";

/**
 * Takes the right to write into this project: one row, decided by the database's own clock. A holder that is certain to be
 * dead is not waited for.
 * @throws DualsyncError `locked` with who holds it and since when; `refused` where the SQL of sql-lease.ts was not run
 */
export async function takeLease(project: Project, run: Run, nonce: string): Promise<HeldLease> {
  const { label } = project;
  // Not under the run's signal: interrupted half-way, it would be unknown whether the lease was taken.
  const signal = new AbortController().signal;
  const { id, command, from } = run;
  const holder = { ...run.holder, run: id, nonce, command, from, proof: PROOF };
  let taken = new Clocks();
  let found = await claim(project, holder, null, signal);
  if (found.held.nonce !== nonce && mayTakeOver(run, found.held)) {
    taken = new Clocks();
    found = await claim(project, holder, String(found.held.nonce), signal);
  }
  if (found.held.nonce !== nonce) throw lockedBy(label, found.held, found.since);
  const lease = keepLease(placeOf(project, nonce), taken);
  if (found.held.proof === PROOF) return lease;
  await lease.release();
  throw new DualsyncError("target", `What is written to ${label} is read back differently.`, {
    hint: "Does a proxy in between change the data? Nothing was written to any table.",
  });
}

async function claim(
  project: Project,
  holder: ControlFields,
  over: string | null,
  signal: AbortSignal,
): Promise<{ readonly held: ControlFields; readonly since?: Date }> {
  const answer = fieldsOf(await callControl(project, "claim", { holder, over }, signal));
  const since = new Date(String(answer.since));
  const held = fieldsOf(answer.holder);
  return Number.isNaN(since.getTime()) ? { held } : { held, since };
}

function placeOf(project: Project, nonce: string): Parameters<typeof keepLease>[0] {
  return {
    label: project.label,
    nonce,
    renew: async (signal) => (await callControl(project, "renew", { nonce }, signal)) === true,
    async record(lastRun, signal) {
      if (!(await writeRecord(project, nonce, runRecord(lastRun), signal))) throw lostError(project.label);
    },
    async release(_, signal) {
      await callControl(project, "release", { nonce }, signal);
    },
  };
}
