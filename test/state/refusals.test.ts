import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { DualsyncError } from "../../src/model/errors.ts";
import { StateFile } from "../../src/state/job/state-file.ts";
import { foreignHand } from "../../src/state/job/state-folder.ts";
import { KEY, STATE, workFolder } from "./state-folder.ts";

const CONTENT = { collections: { "1": ["é\u2028", 0.1, null], orders: true } };

/** A working directory with a state, and that state's bytes. */
async function withState(): Promise<{ cwd: string; state: StateFile; path: string; bytes: Buffer }> {
  const cwd = workFolder();
  const state = new StateFile(cwd, KEY);
  await state.write(CONTENT);
  const path = join(cwd, STATE);
  return { cwd, state, path, bytes: readFileSync(path) };
}

/** The error with which the file is refused; it names the file and what can be done. */
async function refusalOf(promise: Promise<unknown>): Promise<string> {
  const error: unknown = await promise.then(
    (content) => expect.fail(`accepted: ${JSON.stringify(content)}`),
    (caught: unknown) => caught,
  );
  if (!(error instanceof DualsyncError)) throw error;
  expect(error.exit).toBe("local");
  expect(error.message).toContain(".dualsync");
  expect(error.hint).toMatch(/^(Nothing was (copied or )?changed|What was copied is kept)\. /);
  return error.message;
}

it("rejects a state file with any single bit flipped", async () => {
  const { state, path, bytes } = await withState();
  for (let index = 0; index < bytes.length; index++) {
    for (let bit = 0; bit < 8; bit++) {
      const flipped = Buffer.from(bytes);
      flipped.writeUInt8(bytes.readUInt8(index) ^ (1 << bit), index);
      writeFileSync(path, flipped);
      await refusalOf(state.read());
    }
  }
});

it("rejects a state file that is cut off at any length or has extra bytes at its end", async () => {
  const { state, path, bytes } = await withState();
  for (let length = 0; length < bytes.length; length++) {
    writeFileSync(path, bytes.subarray(0, length));
    expect(await refusalOf(state.read())).toMatch(/damaged/);
  }
  for (const more of ["\n", " ", "}\n", bytes.toString()]) {
    writeFileSync(path, bytes + more);
    expect(await refusalOf(state.read())).toMatch(/damaged/);
  }
  writeFileSync(path, bytes);
  expect(await state.read()).toEqual(CONTENT);
});

it.each([
  ["text that is not JSON", "hello", /is damaged or is not a dualsync state file/],
  ["JSON of something else", '{"name":"shop","version":1}', /is damaged or is not a dualsync state file/],
  ["another kind of file", `{"dualsync":"backup","format":1}`, /is damaged or is not a dualsync state file/],
  ["zeros", "\0".repeat(400), /is damaged or is not a dualsync state file/],
  ["a newer format", '{"dualsync":"state","format":2,"all":"new"}', /newer version of dualsync \(format 2\)/],
])("rejects %s in place of a state file", async (_what, text, message) => {
  const { state, path } = await withState();
  writeFileSync(path, text);
  expect(await refusalOf(state.read())).toMatch(message);
  expect(readFileSync(path, "utf8")).toBe(text);
  await state.remove();
  expect(existsSync(path)).toBe(false);
});

it("rejects a state file of another job under this job's name", async () => {
  const { cwd, state, path } = await withState();
  await new StateFile(cwd, "fedcba9876543210").write(CONTENT);
  writeFileSync(path, readFileSync(join(cwd, ".dualsync/fedcba9876543210.json")));
  expect(await refusalOf(state.read())).toMatch(/belongs to another job/);
});

it("rejects a state file with a correct checksum whose content is not JSON", async () => {
  const { state, path } = await withState();
  const sum = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
  writeFileSync(path, `{"dualsync":"state","format":1,"key":"${KEY}","sum":"${sum}","content":hello}\n`);
  expect(await refusalOf(state.read())).toMatch(/is damaged\./);
});

it("does not follow a symbolic link in place of the state file, and removes only the link", async () => {
  const { cwd, state, path, bytes } = await withState();
  const canary = join(cwd, "canary");
  writeFileSync(canary, bytes);
  rmSync(path);
  symlinkSync(canary, path);
  expect(await refusalOf(state.read())).toMatch(/is not a regular file/);
  expect(await refusalOf(state.write("new"))).toMatch(/is not a regular file/);
  expect(lstatSync(path).isSymbolicLink()).toBe(true);
  await state.remove();
  expect(lstatSync(path, { throwIfNoEntry: false })).toBeUndefined();
  expect(readFileSync(canary)).toEqual(bytes);
});

it("does not follow a symbolic link in place of the state folder", async () => {
  const { cwd: victim, bytes } = await withState();
  const cwd = workFolder();
  symlinkSync(join(victim, ".dualsync"), join(cwd, ".dualsync"));
  const state = new StateFile(cwd, KEY);
  for (const use of [() => state.read(), () => state.write("new"), () => state.remove(), () => state.check()])
    expect(await refusalOf(use())).toBe("The folder .dualsync is a symbolic link.");
  expect(readdirSync(join(victim, ".dualsync")).sort()).toEqual([".gitignore", `${KEY}.json`]);
  expect(readFileSync(join(victim, STATE))).toEqual(bytes);
});

it("does not block on a named pipe in place of the state file, and removes it on request", async () => {
  const { state, path } = await withState();
  rmSync(path);
  execFileSync("mkfifo", [path]);
  expect(await refusalOf(state.read())).toMatch(/is not a regular file/);
  expect(await refusalOf(state.write(1))).toMatch(/is not a regular file/);
  await state.remove();
  expect(await state.read()).toBeUndefined();
});

it("rejects a folder in place of the state file, and never removes its content", async () => {
  const { state, path } = await withState();
  rmSync(path);
  mkdirSync(path);
  writeFileSync(join(path, "canary"), "");
  expect(await refusalOf(state.read())).toMatch(/is not a regular file/);
  expect(await refusalOf(state.write(1))).toMatch(/is not a regular file/);
  expect(await refusalOf(state.remove())).toMatch(/could not be removed/);
  expect(readdirSync(path)).toEqual(["canary"]);
});

it.each([0o770, 0o702])(
  "rejects a state folder that others can write, and does not change its mode %o",
  async (mode) => {
    const { cwd, state } = await withState();
    chmodSync(join(cwd, ".dualsync"), mode);
    for (const use of [
      () => state.read(),
      () => state.write("new"),
      () => state.remove(),
      () => state.check(),
    ])
      expect(await refusalOf(use())).toBe("The folder .dualsync can be written by other users.");
    expect(lstatSync(join(cwd, ".dualsync")).mode & 0o777).toBe(mode);
  },
);

it("rejects a state file that others can write, and accepts a folder that others can read", async () => {
  const { cwd, state, path } = await withState();
  chmodSync(join(cwd, ".dualsync"), 0o755);
  expect(await state.read()).toEqual(CONTENT);
  chmodSync(path, 0o660);
  expect(await refusalOf(state.read())).toMatch(/can be written by other users/);
});

it("detects a file that belongs to another user", () => {
  const uid = process.getuid?.() ?? 0;
  expect(foreignHand({ uid: uid + 1, mode: 0o100600 })).toBe("belongs to another user");
  expect(foreignHand({ uid, mode: 0o100644 })).toBeUndefined();
});

it("reports a file in place of the state folder and a missing working directory", async () => {
  const cwd = workFolder();
  writeFileSync(join(cwd, ".dualsync"), "");
  const state = new StateFile(cwd, KEY);
  for (const use of [() => state.read(), () => state.write("new"), () => state.check()])
    expect(await refusalOf(use())).toBe("The folder .dualsync is not a folder.");
  expect(await refusalOf(new StateFile(join(cwd, ".dualsync"), KEY).check())).toMatch(/ENOTDIR/);
  expect(await refusalOf(new StateFile(join(cwd, "gone"), KEY).check())).toMatch(/ENOENT/);
});
