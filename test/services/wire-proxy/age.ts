import type { Document } from "mongodb";
import type { WireRequest } from "./request.ts";

/** The version that a server of this wire version says; of each release the one that a test would ask for. */
const RELEASES: readonly (readonly [wireVersion: number, version: string])[] = [
  [25, "8.0.4"],
  [21, "7.0.16"],
  [17, "6.0.20"],
  [13, "5.0.31"],
  [9, "4.4.29"],
];
/** Fields that servers before this wire version do not know, and refuse. */
const YOUNG_FIELDS: readonly (readonly [field: string, since: number, ...commands: string[]])[] = [
  ["bypassEmptyTsReplacement", 25, "insert", "update", "findAndModify", "aggregate"],
  ["timeseries", 13, "create"],
  ["clusteredIndex", 16, "create"],
  ["encryptedFields", 17, "create"],
];

/** What `buildInfo` says on a server of this wire version. */
export function releaseOf(wireVersion: number): string {
  const [, version] = RELEASES.find(([since]) => wireVersion >= since) ?? [0, "4.2.25"];
  return version;
}

/** How a server of this wire version refuses what is too young for it; undefined when it does not. */
export function tooYoung(request: WireRequest, wireVersion: number): Document | undefined {
  for (const [field, since, ...commands] of YOUNG_FIELDS) {
    if (wireVersion >= since || !commands.includes(request.name) || !request.field(field)) continue;
    const errmsg = `BSON field '${request.name}.${field}' is an unknown field.`;
    return { ok: 0, errmsg, code: 40415, codeName: "Location40415" };
  }
  return undefined;
}
