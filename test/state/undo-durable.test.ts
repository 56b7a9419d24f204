import { expect, it } from "vitest";
import { type Fault, inChild } from "./child.ts";
import { workFolder } from "./state-folder.ts";

it("an undo journal syncs its bytes before each save returns, and its name once", async () => {
  const { calls = [], error } = (await inChild({ cwd: workFolder(), act: "journal" })) ?? {};
  expect(error).toBeUndefined();
  const written = calls.slice(calls.indexOf("file.write")); // the folder is made before
  const reported = written.filter((call) => ["file.write", "file.sync", "file.read"].includes(call));
  const saved = ["file.write", "file.sync", "file.read"];
  expect(reported).toEqual([...saved, "file.sync", ...saved, ...saved]);
});

it("an undo journal accepts no more saves after a save that may have failed", {
  timeout: 120_000,
}, async () => {
  const { calls = [] } = (await inChild({ cwd: workFolder(), act: "journal" })) ?? {};
  const first = calls.indexOf("file.write");
  const steps = [...calls.entries()].filter(
    ([at, call]) => at >= first && ["file.write", "file.sync", "file.read"].includes(call),
  );
  // Those of the first document: the head's and the folder's come before, the second document's after.
  for (const [at, call] of steps.slice(4, 7)) {
    const fault: Fault = { at: at + 1, how: "EIO", when: "before" };
    const { calls: made = [], error } = (await inChild({ cwd: workFolder(), act: "journal", fault })) ?? {};
    expect(error?.exit).toBe("local");
    expect(
      made.slice(at + 1).filter((later) => later === "file.write"),
      call,
    ).toEqual([]);
  }
});
