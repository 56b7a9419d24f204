import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { beforeAll, expect, it } from "vitest";
import {
  endLine,
  headLine,
  isHead,
  type PlanHead,
  type PlanRow,
  readPlan,
  rowLine,
} from "../../../src/core/repair/repair-plan.ts";
import { DocumentId } from "../../../src/model/document.ts";
import { DualsyncError } from "../../../src/model/errors.ts";
import { readLines } from "../../../src/state/files/read-lines.ts";
import { anyId } from "../../bson/id-arbitraries.ts";
import { runs } from "../../support/runs.ts";

/** Through a file, as a person has it: what comes out is what went in, or nothing does. */
let path: string;
beforeAll(() => {
  const folder = mkdtempSync(join(tmpdir(), "dualsync-plan-"));
  path = join(folder, "repair.plan");
  return () => rmSync(folder, { recursive: true });
});

const HEAD: PlanHead = {
  run: "3f9c01ab",
  source: "one.example/shop",
  target: "two.example/shop",
  created: new Date(1.7e12),
  collections: [{ source: "orders", target: "orders", sourceUid: "a1", targetUid: "b2" }],
};

async function read(content: string | Buffer): Promise<(PlanHead | PlanRow)[]> {
  writeFileSync(path, content);
  const parts: (PlanHead | PlanRow)[] = [];
  for await (const part of readPlan(readLines(path), "repair.plan")) parts.push(part);
  return parts;
}

async function refusal(content: string | Buffer): Promise<string> {
  const error = await read(content).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof DualsyncError)) throw new Error(`not refused, or not as it should be: ${error}`);
  expect([error.exit, error.hint]).toEqual(["local", expect.stringMatching(/^Nothing was changed\./)]);
  return error.message.replace(path, "repair.plan");
}

function planOf(rows: readonly PlanRow[], head = HEAD): string {
  return [
    headLine(head),
    ...rows.map((row) => rowLine(head.run, row)),
    endLine(head.run, rows.length, true),
  ].join("");
}

/** Names and texts in which whatever ends a line somewhere, means something to JSON or cannot be seen is frequent. */
const anyText = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        "\n",
        "\r",
        "\r\n",
        "\0",
        "\u0085",
        "\u2028",
        "\u2029",
        "\ufeff",
        "\ufffd",
        "\u001b[2J",
      ),
      fc.constantFrom('"', "\\", "a", "orders", "\u{1f600}", "__proto__", "é", ""),
    ),
    { maxLength: 5 },
  )
  .map((parts) => parts.join(""));

const anySide = fc.record({
  sha256: fc.stringMatching(/^[0-9a-f]{64}$/),
  bytes: fc.integer({ min: 5, max: 20_000_000 }),
});

const anyRow: fc.Arbitrary<PlanRow> = fc
  .record({
    do: fc.constantFrom("insert", "replace", "remove"),
    collection: anyText,
    targetCollection: anyText,
    id: anyId.map(({ type, bytes }) => new DocumentId(Buffer.concat([Buffer.of(type), bytes]))),
    printed: anyText,
    sides: fc.tuple(anySide, anySide),
  })
  .map(({ sides: [source, target], ...row }) => ({
    ...row,
    do: row.do as PlanRow["do"],
    source: row.do === "remove" ? undefined : source,
    target: row.do === "insert" ? undefined : target,
  }));

it("a plan file returns every collection and id byte for byte", async () => {
  const property = fc.asyncProperty(fc.array(anyRow, { maxLength: 4 }), anyText, async (rows, label) => {
    const head = { ...HEAD, source: label };
    const [first, ...others] = await read(planOf(rows, head));
    expect(first).toEqual(head);
    const plain = (row: PlanRow) => ({ ...row, id: Buffer.from(row.id.element).toString("hex") });
    expect((others as PlanRow[]).map(plain)).toEqual(rows.map(plain));
  });
  await fc.assert(property, { numRuns: 200 });
});

const ROW: PlanRow = {
  do: "replace",
  collection: "orders",
  targetCollection: "orders_2",
  id: new DocumentId(Buffer.from("\u0010\u0001\0\0\0", "latin1")),
  printed: '"\u00e9\n1"',
  source: { sha256: "a0".repeat(32), bytes: 40 },
  target: { sha256: "b1".repeat(32), bytes: 41 },
};

it("rejects a plan file with any bit flipped", async () => {
  const bytes = Buffer.from(planOf([ROW, { ...ROW, do: "insert", target: undefined }]));
  const property = fc.asyncProperty(
    fc.nat({ max: bytes.length - 1 }),
    fc.nat({ max: 7 }),
    async (at, bit) => {
      const turned = Buffer.from(bytes);
      turned.writeUInt8(bytes.readUInt8(at) ^ (1 << bit), at);
      expect(await refusal(turned)).toMatch(/repair\.plan/);
    },
  );
  await fc.assert(property, { numRuns: runs(500) });
});

it("rejects a plan file that is cut off anywhere", async () => {
  const bytes = Buffer.from(planOf([ROW, ROW]));
  // Whether the last line has an end says nothing.
  const property = fc.asyncProperty(fc.nat({ max: bytes.length - 2 }), async (length) => {
    expect(await refusal(bytes.subarray(0, length))).toMatch(/repair\.plan/);
  });
  await fc.assert(property, { numRuns: 200 });
  const lines = planOf([ROW, ROW]).trimEnd().split("\n");
  for (let kept = 1; kept < lines.length; kept++)
    for (const end of ["", "\n"])
      expect(await refusal(lines.slice(0, kept).join("\n") + end)).toMatch(
        /it was not finished or is truncated/,
      );
});

it("accepts a plan file with lines removed, reordered or duplicated, or with CRLF line endings", async () => {
  const others = [1, 2, 3].map((n) => ({ ...ROW, id: new DocumentId(Buffer.from([16, n, 0, 0, 0])) }));
  const [head = "", ...lines] = planOf(others).trimEnd().split("\n");
  const [a = "", b = "", , end = ""] = lines;
  const keys = async (some: readonly string[], by = "\n") =>
    (await read([head, ...some, end].join(by))).flatMap((part) => (isHead(part) ? [] : [part.id.key]));
  expect(await keys([a])).toEqual(["n1"]);
  expect(await keys([])).toEqual([]);
  expect(await keys([b, a, "", b], "\r\n")).toEqual(["n2", "n1", "n2"]);
});

it.each([
  ["nothing", "", /repair.plan is empty/],
  ["empty lines", "\n\n\n", /repair.plan is empty/],
  ["other text", "hello\n", /repair.plan is not a dualsync plan/],
  ["other JSON", '{"dualsync":"undo","format":1}\n', /repair.plan is not a dualsync plan/],
  ["JSON that is not an object", "[]\n", /repair.plan is not a dualsync plan/],
  ["bytes that are not text", Buffer.from([0x1f, 0x8b, 8, 0, 0xff, 10]), /repair.plan is not text/],
  ["zeros", Buffer.alloc(10_000), /repair.plan is not a dualsync plan/],
  ["one line of 70 MB", Buffer.alloc(70_000_000, "a"), /repair.plan has a line of more than 64 MB/],
  [
    "the plan of a later version",
    '{"dualsync":"repair plan","format":2,"new":true}\n{"what":"ever"}\n',
    /repair.plan was written by a newer version of dualsync \(format 2\)/,
  ],
  ["two plans", planOf([ROW]) + planOf([ROW]), /repair.plan continues after its last line \(line 4\)/],
  [
    "a line of another plan",
    headLine(HEAD) + rowLine("00000000", ROW) + endLine(HEAD.run, 1, true),
    /line 2 of repair.plan was changed or is damaged/,
  ],
  [
    "an action that does not fit what was seen",
    planOf([{ ...ROW, do: "remove" }]),
    /line 2 of repair.plan was changed or is damaged/,
  ],
  [
    "an insertion of a document that the target already held",
    planOf([{ ...ROW, do: "insert" }]),
    /line 2 of repair.plan was changed or is damaged/,
  ],
  ["its lines in the wrong order", planOf([ROW]).split("\n").reverse().join("\n"), /is not a dualsync plan/],
])("rejects a plan file that holds %s", async (_, content, sentence) => {
  expect(await refusal(content)).toMatch(sentence);
});
