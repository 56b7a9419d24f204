import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { publint } from "publint";
import { beforeAll, expect, it } from "vitest";
import { type MongodbService, withDatabase } from "./services/mongodb/mongodb.ts";
import { fillLocalAtlas } from "./shops/local-atlas.ts";
import { dualsync, summary } from "./support/cli.ts";
import { sharedMongodb } from "./support/stores/shared-services.ts";

let folder: string;
let bin: string;
let tarballName: string;
let files: string[];
let server: MongodbService;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "dualsync-package-"));
  const npm = (cwd: string, ...args: string[]): string =>
    execFileSync("npm", args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  // The build is there already: packing must not build again under the tests' feet.
  const [packed] = JSON.parse(
    npm(process.cwd(), "pack", "--json", "--ignore-scripts", "--pack-destination", folder),
  ) as { filename: string; files: { path: string }[] }[];
  if (packed === undefined) throw new Error("npm pack said nothing");
  tarballName = packed.filename;
  files = packed.files.map(({ path }) => path);
  npm(folder, "init", "--yes");
  npm(folder, "install", "--no-audit", "--no-fund", join(folder, packed.filename));
  bin = join(folder, "node_modules/dualsync/bin/dualsync.js");
  server = await sharedMongodb();
  return async () => {
    await server.stop();
    rmSync(folder, { recursive: true });
  };
});

it("the package holds the program and nothing else", () => {
  expect(
    files.filter(
      (path) =>
        !/^(dist\/.*\.(js|d\.ts)|bin\/dualsync\.js|package\.json|README\.md|LICENSE|CHANGELOG\.md)$/.test(
          path,
        ),
    ),
  ).toEqual([]);
  expect(files).toContain("dist/cli.js");
});

it("publint finds nothing wrong with the package", async () => {
  const tarball = readFileSync(join(folder, tarballName));
  const pack = { tarball: tarball.buffer.slice(tarball.byteOffset, tarball.byteOffset + tarball.length) };
  const { messages } = await publint({ pack, strict: true });
  expect(messages).toEqual([]);
});

it("the package installs no dependency that runs a script", () => {
  const lock = JSON.parse(readFileSync(join(folder, "package-lock.json"), "utf8")) as {
    packages: Record<string, { hasInstallScript?: boolean }>;
  };
  const scripted = Object.entries(lock.packages).filter(([, entry]) => entry.hasInstallScript === true);
  expect(scripted).toEqual([]);
  expect(readdirSync(join(folder, "node_modules")).length).toBeLessThan(30);
});

it("the package runs from an empty folder with npx", () => {
  const version = execFileSync("npx", ["--no-install", "dualsync", "--version"], {
    cwd: folder,
    encoding: "utf8",
  });
  const { version: wanted } = JSON.parse(readFileSync("package.json", "utf8")) as { version: string };
  expect(version.trim()).toBe(wanted);
});

it("the package can be imported, with its types beside it", () => {
  const script = 'import("dualsync").then(({ exitCode }) => console.log(exitCode("refused")))';
  expect(execFileSync(process.execPath, ["-e", script], { cwd: folder, encoding: "utf8" }).trim()).toBe("6");
  expect(files).toContain("dist/index.d.ts");
});

it("the packed program copies 16 collections without any flag, with its variables in files", async () => {
  await fillLocalAtlas(server.uri, "app");
  const files = {
    ".env": `MONGODB_LOCAL_URI="${withDatabase(server.uri, "app")}"\nMONGODB_ATLAS_URI="${withDatabase(server.uri, "atlas")}"\nSYNC_BATCH_SIZE=7\n`,
    ".env.local": 'SYNC_BATCH_SIZE=100\nSYNC_EXCLUDED_COLLECTIONS="sessions,nothing_*"\nSYNC_MAX_RETRIES=5\n',
  };
  const { code, stdout, stderr } = await dualsync(["duplicate", "--json"], { bin, files });
  expect(stderr).toBe("");
  expect([code, summary(stdout)]).toEqual([0, expect.objectContaining({ exitCode: 0 })]);
  expect(stdout.match(/"type":"collection"/g)?.length).toBeGreaterThanOrEqual(15);
});

it("the packed program copies a database to a backup on the same server without any flag", async () => {
  const { code, stdout } = await dualsync(["duplicate"], {
    bin,
    env: { MONGODB_URI: withDatabase(server.uri, "app") },
  });
  expect(code).toBe(0);
  expect(stdout).toMatch(/app_backup/);
  expect(stdout).toMatch(/same server/);
});

it("the packed program exits with the status of each kind of failure", async () => {
  const env = {
    A: withDatabase(server.uri, "app"),
    B: withDatabase(server.uri, "b"),
    NOBODY: "mongodb://127.0.0.1:1/x",
  };
  const run = async (...args: string[]): Promise<number | null> =>
    (await dualsync(["duplicate", ...args], { bin, env })).code;
  expect(await run("--from", "env:MISSING", "--to", "env:B")).toBe(2);
  expect(await run("--from", "env:NOBODY", "--to", "env:B")).toBe(4);
  expect(await run("--from", "env:A", "--to", "env:NOBODY")).toBe(5);
  expect(await run("--from", "env:A", "--to", "env:A")).toBe(6);
  expect(await run("--from", "env:A", "--to", "env:B", "--quiet")).toBe(0);
});
