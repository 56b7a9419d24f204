import { afterAll, afterEach, beforeAll, beforeEach } from "vitest";
import { type KvClientOptions, openKvClient } from "../../../src/connectors/kv/api/client.ts";
import type { KvClient } from "../../../src/connectors/kv/api/commands.ts";
import type { ActiveFault } from "../../services/http/faults.ts";
import type { Fault } from "../../services/upstash/faults.ts";
import { startUpstash, type Upstash } from "../../services/upstash/upstash.ts";
import { never } from "../signal.ts";
import { quick } from "./scripted-project.ts";

/** Commands that may be sent twice. */
export const REPEATABLE = { signal: never, doing: "read keys", repeatable: true } as const;
/** Commands that may not. */
export const ONCE = { ...REPEATABLE, doing: "write a key", repeatable: false } as const;

export interface KvService {
  readonly upstash: Upstash;
  /** Tries again at once where nothing else is said. */
  open(more?: Partial<KvClientOptions>): KvClient;
  /** Until the end of the test. */
  fail(fault: Fault): ActiveFault;
}

/** A KV store for the tests of one file, empty at the beginning of each. */
export function kvService(): KvService {
  let upstash: Upstash;
  const faults: ActiveFault[] = [];
  beforeAll(async () => {
    upstash = await startUpstash();
  });
  beforeEach(() => upstash.redis.flush());
  afterEach(() => {
    for (const fault of faults.splice(0)) fault.stop();
    Object.assign(upstash.settings, { quota: undefined, full: false, lacks: [] });
  });
  afterAll(() => upstash.stop());
  return {
    get upstash() {
      return upstash;
    },
    open: (more = {}) => {
      const { url, token } = upstash;
      return openKvClient({ url, token, label: "127.0.0.1", role: "source", policy: quick, ...more });
    },
    fail: (fault) => {
      const active = upstash.fail(fault);
      faults.push(active);
      return active;
    },
  };
}
