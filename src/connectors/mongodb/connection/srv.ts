import dns from "node:dns";
import { Resolver } from "node:dns/promises";

/** One question is repeated once; the driver, which has no bound of its own, would wait for most of a minute. */
const PATIENCE = { timeout: 4_000, tries: 2 };

/**
 * Asks DNS for the records of a mongodb+srv:// address before the driver does, so that silence ends in time. Resolves
 * at once for other addresses. @throws the resolver's own error (`querySrv …`)
 */
export async function resolveSrv(uri: string, signal: AbortSignal): Promise<void> {
  const host = /^mongodb\+srv:\/\/(?:[^/?]*@)?([^/?@:]+)/i.exec(uri)?.[1];
  if (host === undefined) return;
  const service = /[?&]srvServiceName=([^&]+)/i.exec(uri)?.[1] ?? "mongodb";
  const resolver = new Resolver(PATIENCE);
  resolver.setServers(dns.getServers());
  const cancel = (): void => resolver.cancel();
  signal.addEventListener("abort", cancel, { once: true });
  try {
    await resolver.resolveSrv(`_${service}._tcp.${host}`);
  } finally {
    signal.removeEventListener("abort", cancel);
  }
}
