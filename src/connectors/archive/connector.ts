import { resolve } from "node:path";
import { configurationError } from "../../model/configuration-error.ts";
import type { Environment } from "../../model/environment.ts";
import type { Connector } from "../connector.ts";
import type { FileLocation } from "./file-location.ts";
import { ARCHIVE_WORDS } from "./words.ts";

export const archive: Connector<FileLocation> = {
  kind: "file",
  words: ARCHIVE_WORDS,
  serves: { duplicate: ["target"], diff: ["source", "target"], restore: ["source"] },
  hasMetadata: true,
  keepsAll: true,
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
  refine: (location, { at, compressed }) => ({ ...location, at, compressed }),
  async open(location, options) {
    const { openArchive } = await import("./archive.ts");
    return await openArchive(location, options);
  },
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
