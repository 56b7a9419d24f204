import { readFileSync } from "node:fs";
import { expect } from "vitest";

/** The sentences that docs/safety.md explains, with the status it gives for each; "…" stands for anything. */
const rows = [...readFileSync("docs/safety.md", "utf8").matchAll(/^\| (.+?) \| (\d+) \| .+ \|$/gm)].map(
  ([, sentence = "", status]) => ({
    pattern: new RegExp(
      sentence
        .split("…")
        .map((part) => quoted(part.trim()))
        .join(".*"),
    ),
    status: Number(status),
  }),
);

function quoted(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

/** What the program has said must be a sentence that docs/safety.md explains, under this status. */
export function expectExplained(said: string, status: number | null): void {
  const found = rows.filter(({ pattern }) => pattern.test(said));
  expect(
    found.map((row) => row.status),
    `docs/safety.md does not explain: ${said}`,
  ).toContain(status);
}
