import type { Run, Target } from "../../src/connectors/contract.ts";
import { never } from "./signal.ts";

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

/** The store with the right to write to it, which it takes from whoever has it. */
export async function claimed(store: Target): Promise<Target> {
  await store.claim(testRun("test", true), never);
  return store;
}
