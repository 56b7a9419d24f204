/** Arguments → command → exit status. Only this file and `bin/` use the process's arguments, streams, signals and exit status. */
import { setMaxListeners } from "node:events";
import { createRequire } from "node:module";
import { Command, CommanderError } from "commander";
import type { OutputFlags, PreparedRun, RunContext } from "./commands/command.ts";
import { COMMANDS } from "./commands/index.ts";
import { collect } from "./heap.ts";
import { DualsyncError, EXIT_CODES, exitCode } from "./model/errors.ts";
import type { Reporter } from "./model/reporter.ts";
import { Redactor, safeText } from "./redact/redact.ts";
import type { OutputStream } from "./reporting/streams.ts";

type StopSignal = "SIGINT" | "SIGTERM" | "SIGHUP";

/** What a run has from the process that it is in; Node's `process` is one. */
export interface Host {
  readonly env: NodeJS.ProcessEnv;
  readonly stdin: NodeJS.ReadableStream & { readonly isTTY?: boolean };
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  cwd(): string;
  on(signal: StopSignal, listener: (signal: NodeJS.Signals) => void): unknown;
  off(signal: StopSignal, listener: (signal: NodeJS.Signals) => void): unknown;
  /** Ends the process at once. */
  exit(status: number): never;
}

/** Runs the program with this process's arguments and sets its exit status; output is left to drain. */
export async function main(argv: readonly string[] = process.argv.slice(2)): Promise<void> {
  // At once, and before anything can fail: `ps` shows arguments to everybody, and one may hold a password.
  process.title = "dualsync";
  // A run that ends without saying how is not a success: Node would call it 0.
  process.exitCode = exitCode("bug");
  const redactor = new Redactor();
  process.on("uncaughtException", (error) => crash(error, redactor));
  process.on("unhandledRejection", (error) => crash(error, redactor));
  process.exitCode = await run(argv, process, redactor);
  collect();
}

/** Runs the program and returns its exit status; output is left to drain. */
export async function run(
  argv: readonly string[],
  host: Host,
  redactor: Redactor = new Redactor(),
): Promise<number> {
  let status = exitCode("bug"); // until a command says how it ended
  const program = buildProgram(redactor, host, (ended) => {
    status = ended;
  });
  try {
    await program.parseAsync([...argv], { from: "user" });
    return status;
  } catch (error) {
    return failed(error, argv, redactor, host);
  }
}

/** The whole command line, ready to parse or to be asked for its help. */
export function buildProgram(
  redactor: Redactor,
  host: Host = process,
  ended: (status: number) => void = () => undefined,
): Command {
  const { version } = createRequire(import.meta.url)("../package.json") as { version: string };
  const program = new Command("dualsync")
    .description("Keep a second copy of your application's data that you can trust.")
    .version(version, "-V, --version", "print the version")
    .configureHelp({ showGlobalOptions: false })
    .configureOutput({
      writeOut: (text) => void host.stdout.write(text),
      writeErr: (text) => void host.stderr.write(text),
      outputError: (text, write) => write(redactor.redact(text)),
    })
    .showSuggestionAfterError()
    .exitOverride();
  for (const command of COMMANDS) {
    command
      .describe(program)
      .optionsGroup("Output:")
      .option("--json", "machine-readable records, one per line")
      .option("-q, --quiet", "print nothing unless something is wrong")
      .option("-v, --verbose", "print more detail")
      .helpOption("-h, --help", "show this help")
      .exitOverride()
      // What commander hands over first depends on the arguments that the command has; the command itself comes last.
      .action(async (...given: unknown[]) => {
        ended(await runCommand(command.name, given.at(-1) as Command, redactor, host));
      });
  }
  program.addHelpText(
    "after",
    () =>
      `\nExit status:\n${EXIT_CODES.map(({ code, meaning }) => `  ${String(code).padStart(3)}  ${meaning}`).join("\n")}`,
  );
  return program;
}

async function runCommand(name: string, invoked: Command, redactor: Redactor, host: Host): Promise<number> {
  const flags = invoked.opts<OutputFlags & Record<string, unknown>>();
  const [{ createReporter }, { loadEnvironment }, { prefixed }] = await Promise.all([
    import("./reporting/index.ts"),
    import("./config/env/environment.ts"),
    import("./config/pairs/prefixed.ts"),
  ]);
  const runId = crypto.randomUUID().slice(0, 8);
  const reporter = createReporter({
    mode: flags.json === true ? "json" : flags.quiet === true ? "quiet" : "auto",
    verbose: flags.verbose === true,
    progress: true,
    env: host.env,
    stdout: host.stdout,
    stderr: host.stderr,
    redactor,
    runId,
    command: name,
  });
  let status: number;
  try {
    const environment = loadEnvironment({ cwd: host.cwd(), processEnv: host.env });
    const command = COMMANDS.find((candidate) => candidate.name === name);
    if (command === undefined) throw new DualsyncError("bug", `There is no command ${name}.`);
    for (const warning of environment.warnings) reporter.warn(warning);
    const prepared = await command.prepare(flags, prefixed(environment, flags), invoked.args);
    for (const secret of prepared.secrets) redactor.add(secret);
    for (const warning of prepared.warnings) reporter.warn(warning);
    status = await withSignals(reporter, redactor, flags, runId, prepared, host);
  } catch (error) {
    const known = asDualsyncError(error);
    status = exitCode(known.exit);
    reporter.fail(known, status);
  } finally {
    reporter.close();
  }
  await new Promise((resolve) => setImmediate(resolve)); // only then a failed write of the output is known
  const lost = reporter.lost();
  // A reader that has gone (`| head`) has what it wanted; a full disk under the output has lost the result.
  return lost === undefined || lost.code === "EPIPE" ? status : exitCode("local");
}

/** Runs the work; the first signal asks it to stop cleanly, the second ends the process at once. */
async function withSignals(
  reporter: Reporter,
  redactor: Redactor,
  flags: OutputFlags,
  runId: string,
  prepared: PreparedRun,
  host: Host,
): Promise<number> {
  const stopper = new AbortController();
  setMaxListeners(0, stopper.signal); // every command in flight listens
  const onSignal = (signal: NodeJS.Signals): void => {
    const exit = signal === "SIGINT" ? "interrupted" : "terminated";
    if (stopper.signal.aborted) {
      reporter.close();
      host.exit(exitCode(exit));
    }
    reporter.note("Stopping after the writes in flight; press Ctrl-C again to stop at once.");
    stopper.abort(
      new DualsyncError(exit, signal === "SIGINT" ? "Interrupted." : "Terminated.", {
        hint: "What was done is kept. Run the same command again to resume.",
      }),
    );
  };
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  for (const signal of signals) host.on(signal, onSignal);
  const canAsk = host.stdin.isTTY === true && host.stderr.isTTY === true && flags.json !== true;
  const context: RunContext = {
    runId,
    reporter,
    print: (text) => void host.stdout.write(text),
    redactor,
    signal: stopper.signal,
    confirm: canAsk
      ? async (question) => /^y(es)?$/i.test(await ask(`${question} [y/N]`, stopper.signal, host))
      : undefined,
    ask: canAsk ? (question) => ask(question, stopper.signal, host) : undefined,
  };
  try {
    return await prepared.work(context);
  } finally {
    for (const signal of signals) host.off(signal, onSignal);
  }
}

/** A question on the terminal: the answer without blanks around it; empty at the end of input. */
async function ask(question: string, signal: AbortSignal, { stdin, stderr }: Host): Promise<string> {
  const { createInterface } = await import("node:readline");
  const terminal = createInterface({ input: stdin, output: stderr });
  return await new Promise<string>((resolve) => {
    const noAnswer = (): void => {
      stderr.write("\n");
      resolve("");
    };
    // A terminal that is being asked keeps Ctrl-C to itself.
    terminal.once("SIGINT", () => process.kill(process.pid, "SIGINT"));
    terminal.once("close", noAnswer);
    signal.addEventListener("abort", () => terminal.close(), { once: true });
    terminal.question(`${safeText(question)} `, (answer) => {
      terminal.off("close", noAnswer);
      resolve(answer.trim());
    });
  }).finally(() => terminal.close());
}

function failed(error: unknown, argv: readonly string[], redactor: Redactor, host: Host): number {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return 0;
    // Commander has printed its sentence; machines get a record too.
    if (argv.includes("--json")) {
      const message = safeText(redactor.redact(error.message));
      const ts = new Date().toISOString();
      host.stdout.write(`${JSON.stringify({ v: 1, type: "error", ts, exit: "usage", code: 2, message })}\n`);
      host.stdout.write(`${JSON.stringify({ v: 1, type: "summary", ts, verdict: message, exitCode: 2 })}\n`);
    }
    return exitCode("usage");
  }
  const known = asDualsyncError(error);
  host.stderr.write(`error: ${safeText(redactor.redact(known.message))}\n`);
  return exitCode(known.exit);
}

function asDualsyncError(error: unknown): DualsyncError {
  if (error instanceof DualsyncError) return error;
  return new DualsyncError("bug", error instanceof Error ? error.message : String(error), { cause: error });
}

function crash(error: unknown, redactor: Redactor): void {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(
    `error: a bug in dualsync\n${redactor.redact(text)}\n  Please report it with the lines above.\n`,
  );
  process.exit(exitCode("bug"));
}
