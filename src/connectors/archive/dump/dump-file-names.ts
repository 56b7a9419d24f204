/** Which files of a database's folder belong to which collection. */

export const DATA_FILE = /\.(?:bson(?:\.gz)?|bin)$/;
export const METADATA_FILE = /\.metadata\.json(?:\.gz)?$/;
export const DUMP_FILE = /\.(?:bson(?:\.gz)?|bin|metadata\.json(?:\.gz)?)$/;

/** Files of a dump that say what made it; ours, in a folder that dualsync wrote. */
export const KNOWN_FILE = /^\.|^prelude\.json(?:\.gz)?$|^manifest\.json$|\.blocks$/;

/** Files whose names are the same but for their endings. */
export interface DumpedFiles {
  /** The name without its ending. */
  readonly base: string;
  readonly data: string[];
  readonly metadata: string[];
}

export function groupFiles(names: readonly string[]): readonly DumpedFiles[] {
  const groups = new Map<string, DumpedFiles>();
  for (const name of names) {
    const isMetadata = METADATA_FILE.test(name);
    if (!isMetadata && !DATA_FILE.test(name)) continue;
    const base = name.replace(isMetadata ? METADATA_FILE : DATA_FILE, "");
    const group = groups.get(base) ?? { base, data: [], metadata: [] };
    groups.set(base, group);
    (isMetadata ? group.metadata : group.data).push(name);
  }
  return [...groups.values()];
}

/** What made a dump, for people. */
export function productName(version: string): string {
  return /^[vr]?\d[\w.+-]{0,40}$/.test(version) ? `mongodump ${version}` : "mongodump";
}
