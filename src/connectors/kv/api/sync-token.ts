/** Commands that change nothing. Every other one is believed to change something. */
const READING = new Set([
  ...["GET", "MGET", "STRLEN", "GETRANGE", "EXISTS", "TYPE", "TTL", "PTTL", "EXPIRETIME", "PEXPIRETIME"],
  ...["SCAN", "HSCAN", "SSCAN", "ZSCAN", "HGETALL", "HLEN", "HPEXPIRETIME", "HPTTL", "LRANGE", "LLEN"],
  ...["SMEMBERS", "SCARD", "ZRANGE", "ZCARD", "XRANGE", "XLEN", "XINFO", "JSON.GET", "JSON.TYPE"],
  ...["DBSIZE", "INFO", "PING", "TIME", "ECHO"],
]);

/**
 * What a service's replicas must have seen before they answer: handed back as it came, so that a read that follows a write sees it. Of
 * writes at the same time that follow no order, one alone is certain to be seen.
 */
export class SyncToken {
  #held: string | undefined;
  #heldSince = 0;
  #events = 0;

  get held(): string | undefined {
    return this.#held;
  }

  /** A request with these commands is sent. What it gives is called with the token of its answer. */
  sent(commands: readonly (readonly string[])[]): (token: string | null) => void {
    const at = ++this.#events;
    const reads = commands.every(([name = ""]) => READING.has(name.toUpperCase()));
    return (token) => {
      // It may have seen less than what came meanwhile.
      if (token === null || (reads && at < this.#heldSince)) return;
      this.#held = token;
      this.#heldSince = ++this.#events;
    };
  }
}
