import { DualsyncError } from "../../../model/errors.ts";
import type { Run } from "../../contract.ts";
import { fieldsOf, textOf } from "../../control/control-records.ts";
import {
  Clocks,
  type HeldLease,
  keepLease,
  LEASE_MS,
  type LeaseRecord,
  lockedBy,
  mayTakeOver,
} from "../../lease/lease-renewal.ts";
import type { RunRecord } from "../../powers/run-history.ts";
import type { KvClient, KvRefusal, KvReply } from "../api/commands.ts";
import type { KvReading } from "../reading/reading.ts";
import { scriptOf } from "../scripts/scripts.ts";
import { LEASE_KEY } from "./own-keys.ts";
import { writeRestoring } from "./restoring.ts";

/** What must come back as it was sent: characters that something in between might garble. */
const PROOF = "é😀\u2028\u00a0\"\\'\u007f\u0000";

/** ARGV: the holder that is to be replaced, and its successor. */
const TAKE_OVER = scriptOf(`if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1`);

const RELEASE = scriptOf(`if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 1`);

/** Commands of a script that looks at the lease and changes it. */
const SCRIPT_BILLS = 3;

/** Commands of a run that takes the lease and releases it, without renewals. */
export const LEASE_COMMANDS = 4;

/** Commands of each renewal. */
export const RENEWAL_COMMANDS = 1;

/**
 * Takes the right to write into this store: one key that expires by the server's own clock. A holder that is certain to be dead is not
 * waited for.
 * @throws DualsyncError `locked` with who holds it and since when
 */
export async function takeLease(reading: KvReading, run: Run, nonce: string): Promise<HeldLease> {
  const { client } = reading;
  // Not under the run's signal: interrupted half-way, it would be unknown whether the lease was taken.
  const signal = new AbortController().signal;
  const { id, command, from } = run;
  const since = client.time?.toISOString();
  const own = JSON.stringify({ ...run.holder, run: id, nonce, command, from, since, proof: PROOF });
  const options = { signal, doing: "take the lease", repeatable: true };
  let taken = new Clocks();
  const [, there] = await client.run(
    [
      ["SET", LEASE_KEY, own, "NX", "PX", LEASE_MS],
      ["GET", LEASE_KEY],
    ],
    options,
  );
  const look = async (): Promise<string | undefined> => {
    const [now] = await client.run([["GET", LEASE_KEY]], options);
    return textOfLease(reading, now);
  };
  let held = textOfLease(reading, there);
  // A replica that is behind may have answered the look; what is asked after the write's answer sees it.
  if (nonceOf(held) !== nonce) held = await look();
  if (nonceOf(held) !== nonce && mayTakeOver(run, leaseIn(held))) {
    taken = new Clocks();
    const call = { keys: [LEASE_KEY], args: [held ?? "", own, LEASE_MS] };
    await reading.scripts.run(TAKE_OVER, [call], { ...options, bills: SCRIPT_BILLS });
    held = await look();
  }
  if (nonceOf(held) !== nonce) throw lockedBy(client.label, ...whoHolds(held));
  const lease = keepLease(placeOf(reading, nonce, own), taken);
  if (held === own) return lease;
  await lease.release();
  throw new DualsyncError("target", `What is written to ${client.label} is read back differently.`, {
    hint: "Does a proxy in between change the data? No key was written.",
  });
}

function placeOf(reading: KvReading, nonce: string, own: string): Parameters<typeof keepLease>[0] {
  const { client } = reading;
  return {
    label: client.label,
    nonce,
    async renew(signal) {
      // One command, where comparing first would be three. A lease that is another's by now is prolonged once, which does no harm.
      const command = ["GETEX", LEASE_KEY, "PX", LEASE_MS] as const;
      const [reply] = await client.run([command], { signal, doing: "renew the lease", repeatable: true });
      return textOfLease(reading, reply) === own;
    },
    async record(lastRun: RunRecord, signal) {
      await writeRestoring(client, lastRun, signal);
    },
    async release(certain, signal) {
      const options = { signal, doing: "release the lease", repeatable: true, unlimited: true } as const;
      const call = { keys: [LEASE_KEY], args: [own] };
      if (!certain)
        return void (await reading.scripts.run(RELEASE, [call], { ...options, bills: SCRIPT_BILLS }));
      // Cheaper than the script, and done by a full store, too. It has half a minute left: nobody takes it between the two.
      const [reply] = await client.run([["GET", LEASE_KEY]], options);
      if (textOfLease(reading, reply) === own) await client.run([["DEL", LEASE_KEY]], options);
    },
  };
}

/** The lease as it stands there; undefined where there is none. */
function textOfLease(reading: KvReading, reply: KvReply | KvRefusal | undefined): string | undefined {
  if (reply instanceof Uint8Array) return Buffer.from(reply).toString("utf8");
  if (reply === null) return undefined;
  throw reading.unexpected("read the lease", reply);
}

function leaseIn(text: string | undefined): LeaseRecord {
  try {
    return fieldsOf(JSON.parse(text ?? "{}"));
  } catch {
    return {};
  }
}

function nonceOf(text: string | undefined): string {
  return textOf(leaseIn(text).nonce);
}

function whoHolds(text: string | undefined): [held: LeaseRecord | undefined, since?: Date] {
  const held = leaseIn(text);
  if (textOf(held.command) === "") return [undefined];
  const since = new Date(textOf(held.since));
  return Number.isNaN(since.getTime()) ? [held] : [held, since];
}

/** The nonce of the run that holds the lease now. */
export async function readNonce(client: KvClient, signal: AbortSignal): Promise<string | undefined> {
  const [reply] = await client.run([["GET", LEASE_KEY]], {
    signal,
    doing: "read the lease",
    repeatable: true,
  });
  return reply instanceof Uint8Array ? nonceOf(Buffer.from(reply).toString("utf8")) : undefined;
}
