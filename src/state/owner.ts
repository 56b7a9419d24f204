import type { Stats } from "node:fs";

/** Why a file or folder could have been changed by somebody else; undefined when only this user can change it. */
export function foreignHand(stats: Pick<Stats, "uid" | "mode">): string | undefined {
  const user = process.getuid?.();
  // Windows tells neither owner nor rights in this form.
  if (user === undefined) return undefined;
  if (stats.uid !== user) return "belongs to another user";
  return (stats.mode & 0o022) === 0 ? undefined : "can be written by other users";
}
