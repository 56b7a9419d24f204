/** The folders of an archive: one a run, named after its start and its id; another name while it is not whole. */

const NAME = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z-[0-9a-f]{8}$/;
const PARTIAL = ".partial";

/** `run` is a run's id, of hexadecimal digits at its beginning. */
export function runName(start: Date, run: string): string {
  const name = `${start.toISOString().replaceAll(/[-:]|\.\d+/g, "")}-${run.toLowerCase().slice(0, 8)}`;
  if (runStart(name) === undefined) throw new Error("This is no run of an archive.");
  return name;
}

/** When the run began; undefined for a name that is none of a whole run. */
export function runStart(name: string): Date | undefined {
  const parts = NAME.exec(name);
  if (parts === null) return undefined;
  const [, year, month, day, hour, minute, second] = parts;
  const start = new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  return Number.isNaN(start.getTime()) ? undefined : start;
}

export function partialName(name: string): string {
  return name + PARTIAL;
}

export function isPartial(name: string): boolean {
  return name.endsWith(PARTIAL) && runStart(name.slice(0, -PARTIAL.length)) !== undefined;
}
