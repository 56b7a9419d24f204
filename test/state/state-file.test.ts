import { readdirSync, readFileSync, statSync, truncateSync, utimesSync, writeFileSync } from "node:fs";
import { mkdir, symlink } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { StateFile } from "../../src/state/job/state-file.ts";
import { inChild, startChild } from "./child.ts";
import { KEY, STATE, temporaries, workFolder } from "./state-folder.ts";

const SEED = 20_261_121;

describe("StateFile", () => {
  it("reads back any JSON value that was written", async () => {
    const cwd = workFolder();
    await fc.assert(
      fc.asyncProperty(fc.jsonValue({ noUnicodeString: false }), async (content) => {
        await new StateFile(cwd, KEY).write(content);
        const read = await new StateFile(cwd, KEY).read();
        expect(JSON.stringify(read)).toBe(JSON.stringify(content));
      }),
      { seed: SEED, numRuns: 100 },
    );
  });

  it("writes one JSON object that says what it is", async () => {
    const cwd = workFolder();
    await new StateFile(cwd, KEY).write({ done: ["orders"] });
    expect(JSON.parse(readFileSync(join(cwd, STATE), "utf8"))).toEqual({
      dualsync: "state",
      format: 1,
      key: KEY,
      sum: "1affa88201bc85e23cc9e29eaf9de892a9d53c2ac4f34845f5c72ed5ec280ac7",
      content: { done: ["orders"] },
    });
  });

  it("creates files that only this user can read, in a folder that Git ignores", async () => {
    const cwd = workFolder();
    const umask = process.umask(0);
    try {
      await new StateFile(cwd, KEY).write(1);
    } finally {
      process.umask(umask);
    }
    const mode = (path: string): string => (statSync(join(cwd, path)).mode & 0o777).toString(8);
    expect([".dualsync", STATE, ".dualsync/.gitignore"].map(mode)).toEqual(["700", "600", "600"]);
    expect(readFileSync(join(cwd, ".dualsync/.gitignore"), "utf8")).toBe("*\n");
    expect(readdirSync(join(cwd, ".dualsync")).sort()).toEqual([".gitignore", `${KEY}.json`]);
  });

  it("creates nothing until the state is written or checked", async () => {
    const cwd = workFolder();
    const state = new StateFile(cwd, KEY);
    expect(await state.read()).toBeUndefined();
    await state.remove();
    expect(readdirSync(cwd)).toEqual([]);
    await state.check();
    expect(readdirSync(join(cwd, ".dualsync"))).toEqual([".gitignore"]);
    expect(await state.read()).toBeUndefined();
  });

  it("remove() deletes this job's state and no other", async () => {
    const cwd = workFolder();
    const [state, other] = [new StateFile(cwd, KEY), new StateFile(cwd, "fedcba9876543210")];
    await state.write("mine");
    await other.write("other");
    await state.remove();
    await state.remove();
    expect(await state.read()).toBeUndefined();
    expect(await other.read()).toBe("other");
  });

  it("runs unawaited calls in order, each with the content as it was when the call was made", async () => {
    const state = new StateFile(workFolder(), KEY);
    const content = { number: 0 };
    const turns = [state.write(content)];
    for (content.number = 1; content.number < 20; content.number++) turns.push(state.write(content));
    content.number = 99;
    await Promise.all(turns);
    expect(await state.read()).toEqual({ number: 19 });
    await Promise.all([state.write(1), state.remove(), state.write(2), state.remove()]);
    expect(await state.read()).toBeUndefined();
  });

  it("finds its folder in a working directory that is reached through a symbolic link", async () => {
    const [cwd, real] = [workFolder(), workFolder()];
    await symlink(real, join(cwd, "link"));
    await new StateFile(join(cwd, "link"), KEY).write(7);
    expect(await new StateFile(real, KEY).read()).toBe(7);
  });

  it.each(["", "0123456789abcde", "../../../../etc/passwd", "0123456789ABCDEF", `${KEY}${KEY}0`])(
    "rejects a malformed key: %s",
    (key) => {
      expect(() => new StateFile(workFolder(), key)).toThrow("16 to 64 hexadecimal digits");
    },
  );
});

describe("temporary files of StateFile", () => {
  it("a write removes temporary files that are a day old and nothing else", async () => {
    const cwd = workFolder();
    const folder = join(cwd, ".dualsync");
    const name = (digit: string): string => `${digit.repeat(32)}.tmp`;
    await new StateFile(cwd, "fedcba9876543210").write("old");
    for (const file of [name("a"), name("b"), "notes.tmp", "fedcba9876543210.tmp"])
      writeFileSync(join(folder, file), "");
    await mkdir(join(folder, name("c")));
    const old = Date.now() / 1000 - 90_000;
    for (const file of readdirSync(folder)) if (file !== name("b")) utimesSync(join(folder, file), old, old);
    await new StateFile(cwd, KEY).write("new");
    expect(readdirSync(folder).sort()).toEqual(
      [
        ".gitignore",
        `${KEY}.json`,
        name("b"),
        name("c"),
        "fedcba9876543210.json",
        "fedcba9876543210.tmp",
        "notes.tmp",
      ].sort(),
    );
  });
});

describe("concurrent and killed writers of StateFile", () => {
  it("twenty processes that write at the same time leave one whole state and no temporary files", async () => {
    const cwd = workFolder();
    const contents = Array.from({ length: 20 }, (_, number) => ({ number, text: "x".repeat(6000 * number) }));
    const outcomes = await Promise.all(contents.map((content) => inChild({ cwd, act: "write", content })));
    expect(outcomes.map((outcome) => outcome?.error)).toEqual(contents.map(() => undefined));
    expect(contents).toContainEqual(await new StateFile(cwd, KEY).read());
    expect(temporaries(cwd)).toEqual([]);
  });

  it("twenty writers that create the state folder at the same time share one folder", async () => {
    const cwd = workFolder();
    const states = Array.from({ length: 20 }, (_, number) => new StateFile(cwd, `${number + 1e15}`));
    await Promise.all(states.map((state) => state.write("mine")));
    expect(readdirSync(join(cwd, ".dualsync"))).toHaveLength(states.length + 1);
  });

  it("a process killed while it writes, at 24 moments, leaves the last or the next state whole", async () => {
    const cwd = workFolder();
    const moments = fc.sample(fc.record({ writes: fc.nat(12), millis: fc.nat(6) }), {
      seed: SEED,
      numRuns: 24,
    });
    for (const moment of moments) {
      const number = await killedAfter(cwd, moment.writes + 1, moment.millis);
      const state = (await new StateFile(cwd, KEY).read()) as { number: number; text: string };
      expect([number, number + 1]).toContain(state.number);
      expect(state.text).toHaveLength((state.number * 7919) % 50_000);
    }
    // Each of these processes waits for the disk as often as it writes.
  }, 240_000);
});

/** Kills a process that writes 1, 2, 3 and so on, and returns the last number that it called safe. */
async function killedAfter(cwd: string, writes: number, millis: number): Promise<number> {
  const child = startChild({ cwd, act: "loop" });
  let text = "";
  let killing = false;
  child.stdout?.setEncoding("utf8").on("data", (part: string) => {
    text += part;
    if (killing || text.split("\n").length <= writes) return;
    killing = true;
    setTimeout(() => child.kill("SIGKILL"), millis);
  });
  await new Promise((done) => child.once("close", done));
  return Number(text.trim().split("\n").at(-1));
}

it("refuses to read a state file larger than 256 MB", async () => {
  const cwd = workFolder();
  const state = new StateFile(cwd, KEY);
  await state.write(1);
  truncateSync(join(cwd, STATE), 256 * 1024 * 1024 + 1);
  await expect(state.read()).rejects.toMatchObject({
    exit: "local",
    message: `${STATE} is larger than 256 MB.`,
  });
  truncateSync(join(cwd, STATE), 256 * 1024 * 1024);
  await expect(state.read()).rejects.toMatchObject({
    exit: "local",
    message: `${STATE} is damaged or truncated.`,
  });
});
