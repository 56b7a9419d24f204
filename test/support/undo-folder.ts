import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach } from "vitest";
import { withDatabase } from "../services/mongodb/mongodb.ts";
import { type CliOptions, type CliResult, dualsync, summary } from "./cli.ts";
import type { ServerPair } from "./stores/pair.ts";

/** Runs of one pair in one folder, which remembers them from one to the next; a new one for each test. */
export interface UndoFolder {
  readonly path: string;
  run(args: readonly string[], options?: CliOptions): Promise<CliResult>;
  /** `duplicate`, into a target that may hold documents of others. */
  adopt(flags?: readonly string[], options?: CliOptions): Promise<CliResult>;
  undo(run: string, flags?: readonly string[], options?: CliOptions): Promise<CliResult>;
  /** Runs of which it holds a journal. */
  journals(): string[];
}

/** Call at the top of a test file. */
export function undoFolder(pair: ServerPair): UndoFolder {
  let path = "";
  beforeEach(() => {
    path = mkdtempSync(join(tmpdir(), "dualsync-undo-"));
    return () => rmSync(path, { recursive: true, force: true });
  });
  const folder: UndoFolder = {
    get path() {
      return path;
    },
    run(args, options = {}) {
      const env = {
        LIVE: withDatabase(pair.source.uri, pair.database),
        COPY: withDatabase(pair.target.uri, pair.database),
      };
      return dualsync(args, { cwd: path, ...options, env: { ...env, ...options.env } });
    },
    adopt(flags = [], options = {}) {
      const args = ["duplicate", "--json", "--from", "env:LIVE", "--to", "env:COPY"];
      return folder.run([...args, "--into-existing", pair.database, ...flags], options);
    },
    undo(run, flags = [], options = {}) {
      return folder.run(["undo", run, "--json", "--to", "env:COPY", "--yes", ...flags], options);
    },
    journals() {
      if (!existsSync(join(path, ".dualsync"))) return [];
      const names = readdirSync(join(path, ".dualsync"));
      return names.flatMap((name) => /^undo-(.*)\.journal$/.exec(name)?.[1] ?? []);
    },
  };
  return folder;
}

/** The run whose result this is. */
export function runOf({ stdout }: CliResult): string {
  return String(summary(stdout)?.run);
}
