import type { Lease, Source } from "../connectors/connector.ts";
import { DualsyncError } from "../errors.ts";

/**
 * Proves that source and target are two stores: what this run wrote into the target must not be visible through the
 * source's connection, whatever the addresses look like.
 * @throws DualsyncError `refused` when it is
 */
export async function mustDiffer(source: Source, lease: Lease, signal: AbortSignal): Promise<void> {
  if (!(await source.seesNonce(lease.nonce, signal))) return;
  throw new DualsyncError(
    "refused",
    `Source and target are the same database (${source.label}), under two addresses.`,
    {
      hint: "Nothing was copied. Give the target another database or another server with --to.",
    },
  );
}
