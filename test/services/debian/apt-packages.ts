import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { userInfo } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { cacheFolder } from "../process/cache.ts";

const run = promisify(execFile);
const TIMEOUT_MS = 300_000;
/** The parts of an archive that hold what the tests need. */
const COMPONENTS = { debian: "main", ubuntu: "main universe" };

export interface Distribution {
  readonly family: "debian" | "ubuntu";
  /** The release that this machine runs, or that it is made from: "bookworm", "jammy". */
  readonly release: string;
}

/** The distribution of this machine, when it has apt and is Debian, Ubuntu or made from one of them. */
export async function aptDistribution(): Promise<Distribution | undefined> {
  const text = await readFile("/etc/os-release", "utf8").catch(() => "");
  const field = (name: string) => new RegExp(`^${name}="?([^"\n]*)"?$`, "m").exec(text)?.[1];
  const ancestors = `${field("ID")} ${field("ID_LIKE")}`.split(" ");
  const family = ancestors.includes("ubuntu")
    ? "ubuntu"
    : ancestors.includes("debian")
      ? "debian"
      : undefined;
  const release = field("UBUNTU_CODENAME") ?? field("DEBIAN_CODENAME") ?? field("VERSION_CODENAME");
  if (family === undefined || release === undefined || !existsSync("/usr/bin/apt-get")) return undefined;
  return { family, release };
}

/**
 * The folder that holds the files of `packages` of the distribution's `release`, unpacked and not installed.
 * The first call downloads them, as any user may: from the main archive of this machine's own apt
 * configuration, with apt checking signatures and hashes. Later calls find them in the cache. The folder
 * appears whole or not at all, so several processes may ask at once.
 */
export async function unpackedPackages(
  distribution: Distribution,
  release: string,
  packages: readonly string[],
): Promise<string> {
  const cache = cacheFolder();
  const folder = join(cache, `${release}-${process.arch}-${packages.join("+")}`);
  if (existsSync(folder)) return folder;
  await mkdir(cache, { recursive: true });
  const work = await mkdtemp(join(cache, "unpacking-"));
  try {
    await download(work, distribution, release, packages);
    const root = join(work, "root");
    for (const name of await readdir(work)) {
      if (name.endsWith(".deb"))
        await run("dpkg-deb", ["-x", join(work, name), root], { timeout: TIMEOUT_MS });
    }
    await rename(root, folder).catch((error: unknown) => {
      // Another process was faster; its folder is as good as this one.
      if (!existsSync(folder)) throw error;
    });
  } catch (error) {
    throw new Error(`could not unpack ${packages.join(", ")} of ${release} through apt`, { cause: error });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  return folder;
}

async function download(
  work: string,
  distribution: Distribution,
  release: string,
  packages: readonly string[],
) {
  const keyring = `/usr/share/keyrings/${distribution.family}-archive-keyring.gpg`;
  const options = [`arch=${debianArchitecture()}`, "target=Packages"];
  // Without the keyring's file apt falls back to the keys that it trusts for every archive.
  if (existsSync(keyring)) options.push(`signed-by=${keyring}`);
  const components = COMPONENTS[distribution.family];
  const source = `deb [${options.join(" ")}] ${await mainArchive(distribution)} ${release} ${components}\n`;
  await writeFile(join(work, "sources.list"), source);
  await writeFile(join(work, "status"), "");
  await writeFile(join(work, "apt.conf"), aptConfiguration(work));
  await mkdir(join(work, "state/lists/partial"), { recursive: true });
  await mkdir(join(work, "cache/archives/partial"), { recursive: true });
  const apt = (...args: string[]) =>
    run("apt-get", ["-c", join(work, "apt.conf"), ...args], { cwd: work, timeout: TIMEOUT_MS });
  await apt("update");
  await apt("download", ...packages);
}

/** Keeps this machine's apt out of it: its lists, cache, pins and hooks are neither used nor changed. */
function aptConfiguration(work: string): string {
  const settings = {
    "Dir::Etc::sourcelist": join(work, "sources.list"),
    "Dir::Etc::sourceparts": "/dev/null",
    "Dir::Etc::preferences": "/dev/null",
    "Dir::Etc::preferencesparts": "/dev/null",
    "Dir::State": join(work, "state"),
    "Dir::State::status": join(work, "status"),
    "Dir::Cache": join(work, "cache"),
    "APT::Sandbox::User": userInfo().username,
    "APT::Update::Error-Mode": "any",
    "Acquire::Languages": "none",
    "Acquire::Retries": "3",
  };
  const cleared = ["APT::Update", "APT::Default-Release", "APT::Architectures", "DPkg"];
  return [
    ...cleared.map((name) => `#clear ${name};`),
    ...Object.entries(settings).map(([name, value]) => `${name} "${value}";`),
    "",
  ].join("\n");
}

/**
 * Address of the distribution's main archive as apt is configured here. Several archives can carry the
 * release's name; the one whose address names the distribution is tried. A wrong guess is harmless: its
 * signature would not be the distribution's.
 */
async function mainArchive({ family, release }: Distribution): Promise<string> {
  const format = "$(REPO_URI)|$(RELEASE)|$(COMPONENT)";
  const { stdout } = await run("apt-get", ["indextargets", "--no-release-info", "--format", format], {
    timeout: TIMEOUT_MS,
    maxBuffer: 64 * 1024 * 1024,
  });
  const archives = stdout
    .split("\n")
    .map((line) => line.split("|"))
    .filter(
      ([uri, name, component]) => name === release && component === "main" && !uri?.startsWith("cdrom:"),
    )
    .map(([uri]) => uri ?? "");
  const archive = archives.find((uri) => uri.includes(family)) ?? archives[0];
  if (archive === undefined) throw new Error(`apt knows no main archive of ${release} on this machine`);
  return archive;
}

function debianArchitecture(): string {
  return process.arch === "x64" ? "amd64" : process.arch;
}
