import { Chalk } from "chalk";
import { describe, expect, it } from "vitest";
import { NOTHING_WRITTEN, planText } from "../../../src/reporting/human/plan-text.ts";
import { textWidth } from "../../../src/reporting/text/text-width.ts";
import { plan, planned } from "../samples.ts";

const PIPE = { width: Number.POSITIVE_INFINITY, paint: new Chalk({ level: 0 }) };

function linesOf(...arguments_: Parameters<typeof plan>): string[] {
  return planText(plan(...arguments_), PIPE).split("\n");
}

describe("plan of a copy as text", () => {
  it("begins with the command, the source and the target", () => {
    expect(linesOf().slice(0, 3)).toEqual([
      "duplicate",
      "  from  localhost:27017/ordersDB",
      "  to    localhost:27017/ordersDB_backup",
    ]);
  });

  it("lists every collection with its documents, size and action, and a total", () => {
    const lines = linesOf({
      collections: [
        planned("customers"),
        planned("shop", { target: "shops", action: "fill" }),
        planned("orders", {
          documents: 50_000,
          bytes: 12_400_000,
          action: "update",
          targetDocuments: 49_998,
        }),
        planned("log", { kind: "sequence", type: "capped", documents: 10, bytes: 999 }),
        planned("paid", {
          kind: "definition",
          type: "view",
          documents: undefined,
          bytes: undefined,
          action: "define",
        }),
      ],
    });
    expect(lines).toContain("collection    documents     size  on the target");
    expect(lines).toContain("customers         1,200   1.1 MB  create");
    expect(lines).toContain("shop → shops      1,200   1.1 MB  fill (empty now)");
    expect(lines).toContain("orders           50,000  12.4 MB  update (holds 49,998)");
    expect(lines).toContain("log                  10    999 B  create, capped");
    expect(lines).toContain("paid                  -        -  define view");
    expect(lines).toContain("total            51,200  13.5 MB");
  });

  it("names what is not copied and why, the size on the target, and the notes", () => {
    const lines = linesOf({
      notCopied: [{ name: "system.users", reason: "users are not copied" }],
      notes: ["The copy is not a point in time."],
    });
    expect(lines).toContain("Not copied:");
    expect(lines).toContain("  system.users: users are not copied");
    expect(lines).toContain("Estimated size on the target: about 9.0 MB.");
    expect(lines).toContain("The copy is not a point in time.");
  });

  it("leaves out sections that have nothing to show", () => {
    const text = planText(plan({ collections: [], estimatedTargetBytes: 0 }), PIPE);
    expect(text).not.toContain("Not copied");
    expect(text).toContain("There is no collection to copy.");
    expect(text).toContain("Estimated size on the target: no more than now.");
  });

  it('ends with "Nothing was written." in a dry run and in no other run', () => {
    const dry = planText(plan({ dryRun: true }), PIPE);
    expect(dry).toMatch(/^duplicate \(dry run\)\n/);
    expect(dry).toMatch(/\nDry run: the above is what would happen\. Nothing was written\.\n$/);
    expect(NOTHING_WRITTEN).toBe("Nothing was written.");
    expect(planText(plan(), PIPE)).not.toMatch(/dry run|nothing was written/i);
  });

  it("fits the table and the sentences into the terminal", () => {
    const long = plan({
      collections: [planned("x".repeat(255))],
      notes: [
        "The copy is not a point-in-time snapshot: each document is as it was at some moment of the run.",
      ],
      notCopied: [
        { name: "orders/default", reason: "search indexes are kept by another server and are not copied" },
      ],
    });
    const lines = planText(long, { ...PIPE, width: 60 }).split("\n");
    expect(Math.max(...lines.map(textWidth))).toBeLessThanOrEqual(60);
    expect(planText(long, PIPE)).toContain("x".repeat(255));
  });
});
