import { describe, expect, it } from "vitest";
import { DualsyncError } from "../../../src/model/errors.ts";
import { changePlan, changeReport, comparison, difference, diffReport } from "../comparison-samples.ts";
import { open, plan, report } from "../samples.ts";
import { serviceReport, syncPlan, syncReport } from "../sync-samples.ts";

const TIME = String.raw`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z`;

describe("quiet output", () => {
  it("prints nothing at all on success, at a terminal or in a pipe", () => {
    for (const terminal of [undefined, {}]) {
      const { reporter, stdout, stderr } = open({
        mode: "quiet",
        verbose: true,
        ...(terminal && { terminal }),
      });
      reporter.note("a");
      reporter.detail("b");
      reporter.plan(plan());
      const meter = reporter.meter("orders", 10);
      meter.advance(10, 1);
      meter.phase("verifying");
      meter.end();
      reporter.finish(report());
      reporter.close();
      expect(stdout.text + stderr.text).toBe("");
    }
  });

  it("prints a warning as one line with its time", () => {
    const { reporter, stdout, stderr } = open({ mode: "quiet" });
    reporter.warn("the source\nis being written");
    expect(stderr.text).toMatch(
      new RegExp(`^${TIME} dualsync duplicate: warning: the source.+is being written\n$`),
    );
    expect(stdout.text).toBe("");
  });

  it("prints an outcome other than success as one line", () => {
    const { reporter, stderr } = open({ mode: "quiet" });
    reporter.finish(report({ exitCode: 3, verdict: "2 things are missing." }));
    expect(stderr.text).toMatch(
      new RegExp(String.raw`^${TIME} dualsync duplicate: exit 3 \(incomplete\): 2 things are missing\.\n$`),
    );
  });

  it("prints a failure with its hint as one line", () => {
    const { reporter, stderr } = open({ mode: "quiet" });
    reporter.fail(new DualsyncError("target", "No answer.", { hint: "Try:\n  dualsync duplicate" }), 5);
    expect(stderr.text).toMatch(
      new RegExp(
        String.raw`^${TIME} dualsync duplicate: error 5 \(target\): No answer\. Try: dualsync duplicate\n$`,
      ),
    );
  });

  it("prints nothing for a comparison or a repair that succeeds, whatever it listed", () => {
    const { reporter, stdout, stderr } = open({ mode: "quiet", verbose: true });
    reporter.comparison(comparison());
    reporter.difference(difference({ counted: false }));
    reporter.compared(diffReport());
    reporter.changePlan(changePlan());
    reporter.changed(changeReport());
    expect(stdout.text + stderr.text).toBe("");
  });

  it("prints nothing for a synchronization that succeeds, and one line for one that does not", () => {
    const { reporter, stdout, stderr } = open({ mode: "quiet", verbose: true, command: "sync-kv" });
    reporter.syncPlan(syncPlan());
    reporter.synced(syncReport());
    expect(stdout.text + stderr.text).toBe("");
    reporter.synced(syncReport({ exitCode: 3, verdict: "Not all in step: 5 keys equal." }));
    expect(stderr.text).toMatch(
      new RegExp(
        String.raw`^${TIME} dualsync sync-kv: exit 3 \(incomplete\): Not all in step: 5 keys equal\.\n$`,
      ),
    );
    expect(stdout.text).toBe("");
  });

  it("prints nothing for a check of stores that serve, and one line where one does not", () => {
    const { reporter, stdout, stderr } = open({ mode: "quiet", command: "sync-kv" });
    reporter.checked(serviceReport({ exitCode: 0, verdict: "KV and MongoDB serve." }));
    expect(stdout.text + stderr.text).toBe("");
    reporter.checked(serviceReport());
    expect(stderr.text).toMatch(/ dualsync sync-kv: exit 4 \(source\): The source .+ MongoDB serves\.\n$/);
    expect(stdout.text).toBe("");
  });

  it("prints one line for a comparison or a repair that does not succeed", () => {
    for (const end of ["compared", "changed"] as const) {
      const { reporter, stdout, stderr } = open({ mode: "quiet", command: "diff" });
      reporter.difference(difference());
      const ended = { exitCode: 1, verdict: "1 document differs." };
      end === "compared" ? reporter.compared(diffReport(ended)) : reporter.changed(changeReport(ended));
      expect(stderr.text).toMatch(
        new RegExp(String.raw`^${TIME} dualsync diff: exit 1 \(different\): 1 document differs\.\n$`),
      );
      expect(stdout.text).toBe("");
    }
  });
});
