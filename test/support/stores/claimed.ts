import type { Run, WriteSession } from "../../../src/connectors/contract.ts";
import { never } from "../signal.ts";

/** A run of a host that does not exist; `gone` says whether it holds other holders for dead. */
export function testRun(id: string, gone = false): Run {
  return {
    id,
    command: "test",
    holder: { host: "test-host", pid: 1 },
    from: "nowhere",
    isGone: () => gone,
  };
}

/** A store that can be claimed, with the session that it gives. */
interface Claimable<S extends WriteSession> {
  claim(run: Run, signal: AbortSignal): Promise<S>;
}

/** A write session of the store, taken over from whoever holds its lock. */
export function sessionOf<S extends WriteSession>(store: Claimable<S>): Promise<S> {
  return store.claim(testRun("test", true), never);
}
