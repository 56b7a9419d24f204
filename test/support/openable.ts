import { afterAll, beforeAll } from "vitest";
import { archive } from "../../src/connectors/archive/connector.ts";
import { kv } from "../../src/connectors/kv/connector.ts";

/** Call at the top of a test file: its tests take stores that cannot be opened yet for such that can. */
export function allOpenable(): void {
  const closed = [kv, archive].filter(({ open }) => open === undefined);
  const open = async (): Promise<never> => {
    throw new Error("a store of these tests is never opened");
  };
  beforeAll(() => {
    for (const connector of closed) Object.assign(connector, { open });
  });
  afterAll(() => {
    for (const connector of closed) Object.assign(connector, { open: undefined });
  });
}
