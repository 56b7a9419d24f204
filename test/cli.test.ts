import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { describe, expect, it } from "vitest";
import { EXIT_CODES } from "../src/model/errors.ts";
import { BIN, type CliOptions, records, dualsync as run, summary } from "./support/cli.ts";

/** The program as it is installed: other tests run it from one file. */
const dualsync = (args: readonly string[], options: CliOptions = {}) => run(args, { bin: BIN, ...options });

const PASSWORD = "tr0ub4dor-canary";
const GOOD = "mongodb://127.0.0.1:1/shop";

/** Everything that can be wrong before anything is contacted, with what the sentence must say. */
const BAD_INPUT: readonly (readonly [
  what: string,
  args: readonly string[],
  env: Record<string, string>,
  says: RegExp,
])[] = [
  ["no pair", [], {}, /MONGODB_URI/],
  ["an unknown flag", ["--frm", "x"], {}, /unknown option '--frm'/],
  ["an unescaped @", [], { MONGODB_URI: `mongodb://user:${PASSWORD}@x@host/shop` }, /%40/],
  ["an unescaped #", [], { MONGODB_URI: `mongodb://user:${PASSWORD}#x@host/shop` }, /%23/],
  ["no database", [], { MONGODB_URI: "mongodb://localhost:27017" }, /database/],
  [
    "a placeholder password",
    [],
    { MONGODB_URI: "mongodb+srv://user:<password>@c.example.net/shop" },
    /placeholder where the password belongs/,
  ],
  [
    "another placeholder",
    [],
    { MONGODB_URI: "mongodb+srv://user:YOUR_PASSWORD@c.example.net/shop" },
    /placeholder|YOUR_PASSWORD/i,
  ],
  [
    "a batch size of zero",
    ["--batch-size", "0"],
    { MONGODB_URI: GOOD },
    /--batch-size must be a whole number/,
  ],
  [
    "a concurrency that is not a number",
    ["--concurrency", "many"],
    { MONGODB_URI: GOOD },
    /--concurrency must be a whole number/,
  ],
  ["an unknown verification", ["--verify", "maybe"], { MONGODB_URI: GOOD }, /content, counts or none/],
  ["a filter that runs code", ["--filter", 'a={"$where":"1"}'], { MONGODB_URI: GOOD }, /\$where/],
  ["a filter that is not JSON", ["--filter", "a={"], { MONGODB_URI: GOOD }, /--filter/],
  ["a rename without a name", ["--rename", "a="], { MONGODB_URI: GOOD }, /--rename/],
  ["an empty glob", ["--include", ""], { MONGODB_URI: GOOD }, /--include/],
  ["an unknown location", ["--from", "mongo"], { MONGODB_URI: GOOD }, /mongodb/],
  ["two names for the database", [], { MONGODB_URI: GOOD, MONGODB_DB_NAME: "other" }, /MONGODB_DB_NAME/],
  [
    "several pairs",
    [],
    {
      MONGODB_URI: GOOD,
      MONGODB_LOCAL_URI: "mongodb://localhost/a",
      MONGODB_ATLAS_URI: "mongodb+srv://c.example.net/a",
    },
    /--from env:MONGODB_LOCAL_URI --to env:MONGODB_ATLAS_URI/,
  ],
];

/** Those that are given to the program in a process of its own; another one takes longer than most runs. */
const OWN_PROCESS: ReadonlySet<string> = new Set(["no pair", "an unescaped @", "a batch size of zero"]);

describe("bad input", () => {
  it.each(BAD_INPUT)("rejects bad input with one clear sentence: %s", async (what, args, env, says) => {
    const start = OWN_PROCESS.has(what) ? dualsync : run;
    const { code, stdout, stderr } = await start(["duplicate", ...args], { env });
    expect(stderr).toMatch(says);
    expect(stderr).not.toMatch(/^\s+at /m);
    expect(stdout + stderr).not.toContain(PASSWORD);
    expect(code).toBe(2);
    expect(stdout).toBe("");
  });

  it.each(BAD_INPUT)(
    "reports bad input as a JSON record, with the summary last: %s",
    async (_what, args, env) => {
      const { code, stdout } = await run(["duplicate", "--json", ...args], { env });
      expect(code).toBe(2);
      expect(records(stdout).map(({ type }) => type)).toContain("error");
      expect(summary(stdout)).toMatchObject({ type: "summary", exitCode: 2 });
      expect(stdout).not.toContain(PASSWORD);
    },
  );

  it("prints help on stderr and exits with 2 when there is no command", async () => {
    const { code, stdout, stderr } = await dualsync([]);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(/Usage: dualsync/);
  });
});

describe("passwords in arguments", () => {
  it.runIf(process.platform === "linux")(
    "a password in an argument causes a warning, is never shown, and is gone from the process list by then",
    async () => {
      let shown = "";
      const args = [
        "duplicate",
        "--from",
        `mongodb://user:${PASSWORD}@127.0.0.1:1/a`,
        "--to",
        "mongodb://127.0.0.1:1/b",
      ];
      const { stdout, stderr } = await dualsync(args, {
        onStart: (child) => {
          child.stderr?.once("data", () => {
            shown = readFileSync(`/proc/${child.pid}/cmdline`, "latin1");
            child.kill();
          });
        },
      });
      expect(shown.replaceAll("\0", "").trim()).toBe("dualsync");
      expect(stderr).toMatch(/--from.*password|password.*--from/);
      expect(stdout + stderr).not.toContain(PASSWORD);
    },
  );
});

/** Each is waited for as long as a server may take to start. */
describe.concurrent("unusable servers", () => {
  it("reports a refused port, and asks whether the server is running", async () => {
    const env = { LIVE: `mongodb://user:${PASSWORD}@127.0.0.1:1/shop`, COPY: "mongodb://127.0.0.1:2/shop" };
    const { code, stderr, stdout } = await dualsync(["duplicate", "--from", "env:LIVE", "--to", "env:COPY"], {
      env,
    });
    expect(stderr).toMatch(/refused by the (source|target) 127\.0\.0\.1:[12]\/shop/);
    expect(stderr).toMatch(/Is the server running/);
    expect([4, 5]).toContain(code);
    expect(stdout + stderr).not.toContain(PASSWORD);
  });

  it("reports an unknown host name", async () => {
    const env = { LIVE: "mongodb://no-such-host.invalid/shop", COPY: "mongodb://no-such-host.invalid/copy" };
    const { code, stderr } = await dualsync(["duplicate", "--from", "env:LIVE", "--to", "env:COPY"], { env });
    expect(stderr).toMatch(/no-such-host\.invalid/);
    expect(stderr).toMatch(/spelling|resolve/);
    expect([4, 5]).toContain(code);
  });

  it("gives up on a server that accepts the connection but stays silent", async () => {
    const silent = createServer((socket) => socket.on("error", () => undefined));
    await new Promise<void>((ready) => silent.listen(0, "127.0.0.1", ready));
    const address = silent.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const env = { LIVE: `mongodb://127.0.0.1:${port}/shop`, COPY: `mongodb://127.0.0.1:${port}/copy` };
    const { code, stderr } = await dualsync(["duplicate", "--from", "env:LIVE", "--to", "env:COPY"], {
      env: { ...env, SYNC_MAX_RETRIES: "0" },
    });
    silent.close();
    expect(stderr).toMatch(/No answer from/);
    expect([4, 5]).toContain(code);
  });
});

describe("help", () => {
  it("help of a command fits one screen, with three examples that parse", async () => {
    const { code, stdout } = await dualsync(["duplicate", "--help"]);
    expect(code).toBe(0);
    expect(stdout.split("\n").length).toBeLessThanOrEqual(45);
    for (const line of stdout.split("\n")) expect(line.length).toBeLessThanOrEqual(80);
    const examples = [...stdout.matchAll(/\$ dualsync (.*?)(?: {2,}.*)?$/gm)].map((match) =>
      (match[1] as string).replaceAll('"', ""),
    );
    expect(examples).toHaveLength(3);
    // Flags are looked at before addresses.
    const uri = "mongodb://user:<password>@127.0.0.1:1/a";
    for (const example of examples) {
      const names = ["LIVE", "COPY", ...(example.includes("env:") ? [] : ["MONGODB_URI"])];
      const env = Object.fromEntries(names.map((name) => [name, uri]));
      const { code: outcome, stderr } = await run(example.split(" "), { env });
      expect([outcome, stderr], example).toEqual([2, expect.stringMatching(/placeholder/)]);
    }
  });

  it("help lists every exit status", async () => {
    const { stdout } = await dualsync(["--help"]);
    for (const { code, meaning } of EXIT_CODES)
      expect(stdout).toContain(`${String(code).padStart(3)}  ${meaning}`);
  });

  it("help loads no database driver", () => {
    const { stdout } = spawnSync(process.execPath, ["-e", LIST_MODULES], { encoding: "utf8" });
    expect(stdout).toMatch(/node_modules.commander/);
    expect(stdout).not.toMatch(/node_modules.mongodb/);
  });
});

/** Runs `--help` in this process and prints every CommonJS module that it has loaded. */
const LIST_MODULES = `
  process.argv = [process.argv[0], "dualsync", "--help"];
  import("./dist/cli.js").then((cli) => cli.main(["--help"])).then(() => console.log(Object.keys(require.cache).join("\\n")));
`;
