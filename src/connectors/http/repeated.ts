import type { Clock } from "../wrappers/clock.ts";
import { type RetryPolicy, Tries } from "../wrappers/retry.ts";
import type { ServerPause } from "../wrappers/server-pause.ts";
import { Fault } from "./fault.ts";

/** How often a request that failed so is sent again. */
export type Patience = "many" | "few" | "none";

/** For what is not worth many tries. */
const FEW = 2;

export interface Repetition {
  readonly policy: RetryPolicy;
  /** Shared by all that is sent to this server. */
  readonly pause: ServerPause;
  readonly patienceFor: (fault: Fault) => Patience;
  /** Where a server asks to wait longer than the policy waits, a request is sent earlier. Without it the work fails at once. */
  readonly hurries?: true | undefined;
  /** What else is to be waited for before each attempt. */
  readonly ready?: ((signal: AbortSignal) => Promise<void>) | undefined;
  readonly clock?: Clock | undefined;
}

/** Tries until there is an answer. As long as a server asks to wait, nothing is sent to it. Every error but a Fault ends it. */
export async function repeated<T>(
  { policy, pause, patienceFor, hurries, ready, clock }: Repetition,
  signal: AbortSignal,
  attempt: () => Promise<T>,
): Promise<T> {
  const tries = new Tries(policy, clock);
  const longest = Math.max(policy.patience, policy.longestWait);
  for (let few = 0; ; ) {
    await ready?.(signal);
    if (!(await pause.over(signal, longest))) throw stillRefused(pause);
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      const asked = error.wait ?? 0;
      const wait = hurries === true ? Math.min(asked, longest) : asked;
      pause.ask(wait, error);
      const patience = wait > longest ? "none" : patienceFor(error);
      if (patience === "none" || (patience === "few" && ++few > FEW) || !tries.again()) throw error;
      await tries.wait(signal, wait);
    }
  }
}

/** The fault with which the server asked to wait, again, with what is left of that time. */
function stillRefused({ reason, rest }: ServerPause): Fault {
  if (!(reason instanceof Fault)) return new Fault({ reason: "status", status: 429, wait: rest });
  const { status, code, gateway } = reason;
  return new Fault({
    reason: reason.reason,
    ...(status !== undefined && { status }),
    code,
    gateway,
    wait: rest,
  });
}
