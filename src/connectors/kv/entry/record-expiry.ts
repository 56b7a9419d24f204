import type { IsDue } from "../../powers/expiry.ts";
import { decodeRecord } from "./decode-record.ts";

/** A record's time has come: the store has the key no longer. */
export const isRecordDue: IsDue = (doc, now) => {
  const found = decodeRecord(doc);
  const end = "problem" in found ? undefined : found.entry.expiresAt;
  return end !== undefined && end <= now.getTime();
};
