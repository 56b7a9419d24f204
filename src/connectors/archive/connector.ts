import { resolve } from "node:path";
import { configurationError } from "../../model/configuration-error.ts";
import type { Environment } from "../../model/environment.ts";
import type { Connector, Location } from "../connector.ts";

/** An archive: a directory that dualsync wrote or will write. */
export interface FileLocation extends Location {
  readonly kind: "file";
  /** Absolute. */
  readonly directory: string;
  readonly reference: string;
}

export const archive: Connector<FileLocation> = {
  kind: "file",
  words: {
    store: "an archive",
    collection: "collection",
    collections: "collections",
    documents: "documents",
    comparedBy: "byte for byte",
    whenEmpty: "Check the folder.",
    notUndone: "an archive is never changed",
  },
  serves: { diff: ["source", "target"], restore: ["source"] },
  hasMetadata: true,
  variablePrefixes: [],
  forms: ["file:DIR"],
  parse(text, flag, environment) {
    if (!text.startsWith("file:")) return undefined;
    return { location: fileLocation(text.slice("file:".length), flag, environment), warnings: [] };
  },
  advise: (text) => (/^\.{0,2}\//.test(text) ? "For a directory write file: before it." : undefined),
  secrets: () => [],
  isSame: (left, right) => left.label === right.label,
  place: ({ directory }) => ({ hosts: [], database: directory }),
};

function fileLocation(written: string, flag: string, environment: Environment): FileLocation {
  const path = written.startsWith("//") ? written.slice(2) : written;
  if (path === "" || path.includes("\0")) {
    throw configurationError(
      `${flag} has no directory after file:.`,
      "Write the archive's directory, for example file:./backup.",
    );
  }
  const directory = resolve(environment.cwd, path);
  return { kind: "file", directory, origin: flag, label: directory, reference: `file:${path}` };
}
