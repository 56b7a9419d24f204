import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll } from "vitest";
import { COMMANDS } from "../../../src/commands/index.ts";
import { loadEnvironment } from "../../../src/config/env/environment.ts";
import { register } from "../../../src/connectors/registry.ts";
import { DualsyncError, exitCode } from "../../../src/model/errors.ts";
import { open } from "../../reporting/samples.ts";
import { MemoryDatabase, type MemoryPowers, memoryConnector } from "./memory-connector.ts";

export interface MemoryCommandResult {
  readonly status: number;
  readonly records: readonly Readonly<Record<string, unknown>>[];
  /** The error that ended the run. */
  readonly error: unknown;
}

/** Commands of the program in this process, on databases in memory. */
export interface InMemory {
  /** A new database; its location is `memory:NAME`. */
  database(name: string, powers: MemoryPowers): MemoryDatabase;
  run(
    command: string,
    args: readonly string[],
    flags?: Readonly<{ [name: string]: unknown }>,
  ): Promise<MemoryCommandResult>;
  readonly cwd: string;
}

/** Call at the top of a test file: registers the connector while its tests run. */
export function inMemory(): InMemory {
  const databases = new Map<string, MemoryDatabase>();
  const cwd = mkdtempSync(join(tmpdir(), "dualsync-memory-"));
  let unregister = (): void => undefined;
  beforeAll(() => {
    unregister = register(memoryConnector(databases));
  });
  afterAll(() => {
    unregister();
    rmSync(cwd, { recursive: true, force: true });
  });
  return {
    cwd,
    database(name, powers) {
      const database = new MemoryDatabase(powers);
      databases.set(name, database);
      return database;
    },
    async run(command, args, flags = {}) {
      const verb = COMMANDS.find(({ name }) => name === command);
      if (verb === undefined) throw new Error(`no command ${command}`);
      const runId = crypto.randomUUID().slice(0, 8);
      const opened = open({ mode: "json", command, runId });
      const context = {
        ...{ runId, reporter: opened.reporter, redactor: opened.redactor, print: () => undefined },
        ...{ signal: new AbortController().signal, confirm: undefined, ask: undefined },
      };
      const result = (status: number, error: unknown): MemoryCommandResult => ({
        ...{ status, error },
        records: opened.stdout.text
          .split("\n")
          .filter((line) => line !== "")
          .map((line) => JSON.parse(line) as Record<string, unknown>),
      });
      try {
        const environment = loadEnvironment({ cwd, processEnv: {} });
        const { work } = await verb.prepare(flags, environment, args);
        return result(await work(context), undefined);
      } catch (error) {
        if (!(error instanceof DualsyncError)) throw error;
        return result(exitCode(error.exit), error);
      } finally {
        opened.reporter.close();
      }
    },
  };
}
