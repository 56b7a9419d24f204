import type { NotReproduced } from "../connectors/connector.ts";
import type { Doc } from "../document.ts";
import { account, type PartJob } from "./job.ts";
import type { Journaling } from "./journal.ts";
import { applyChanges } from "./mend/change.ts";
import type { Outcome } from "./mend/single-change.ts";

/**
 * Writes documents into a collection that holds others which dualsync did not put there: what is there now, and not
 * only what was when it was compared, is saved first; each document is read back. They make the target grow by so many
 * bytes.
 */
export async function journaledWrite(
  job: PartJob,
  { journal, collection }: Journaling,
  documents: readonly Doc[],
  growth?: number,
): Promise<void> {
  const bytes = documents.reduce((sum, document) => sum + document.bytes.length, 0);
  await job.room?.take(growth ?? bytes, job.signal);
  const changes = documents.map((document) => ({
    id: document.id,
    wanted: document.bytes,
    accepts: () => true,
  }));
  const notReproduced: NotReproduced[] = [];
  const onLost = (lost: NotReproduced): void => void notReproduced.push(lost);
  const options = { journal, onLost, signal: job.signal };
  const outcomes = await applyChanges(job.target, collection, changes, options);
  const count = (result: Outcome["result"]): number => outcomes.filter((one) => one.result === result).length;
  const setAside = outcomes.flatMap(({ change: { id }, reason }) =>
    reason === undefined ? [] : [{ id, reason }],
  );
  account(job, documents.length, bytes, {
    written: count("changed"),
    unchanged: count("unchanged"),
    setAside,
    notReproduced,
  });
}
