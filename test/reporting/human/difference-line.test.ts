import { Chalk } from "chalk";
import { describe, expect, it } from "vitest";
import type { Difference } from "../../../src/model/reporter.ts";
import { safeText } from "../../../src/redact/redact.ts";
import { differenceLine } from "../../../src/reporting/human/difference-line.ts";
import { difference, field, without } from "../comparison-samples.ts";

const PLAIN = { paint: new Chalk({ level: 0 }), allFields: false };

const line = (more: Partial<Difference>) => differenceLine(difference(more), PLAIN);

const FIVE = ["/a", "/b", "/c", "/d", "/e"].map((path) => field(path));

describe("line of a difference", () => {
  it("names the document and the types of the fields that differ", () => {
    const fields = [field("/total"), field("/items/0/price", { source: "double", target: "decimal" })];
    expect(line({ fields, moreFields: 3, drift: "behind" })).toBe(
      "* orders/17  /total int → long, /items/0/price double → decimal (and 3 more)  behind",
    );
  });

  it("says on which side a document exists, and its size", () => {
    const missing = without(difference({ key: "document orders/18", kind: "missing", sigil: "+" }), "target");
    expect(differenceLine({ ...missing, fields: [] }, PLAIN)).toBe("+ orders/18  only in the source (312 B)");
    const extra = without(difference({ key: "document orders/x", kind: "extra", sigil: "-" }), "source");
    expect(differenceLine({ ...extra, fields: [] }, PLAIN)).toBe("- orders/x  only in the target (316 B)");
  });

  it("shows the whole key and the detail of a difference that is not in a document", () => {
    const index = without(
      difference({ key: "index orders/email_1", kind: "metadata", fields: [] }),
      "id",
      "source",
      "target",
    );
    expect(differenceLine({ ...index, detail: "unique: source true, target absent" }, PLAIN)).toBe(
      "* index orders/email_1: unique: source true, target absent",
    );
    expect(differenceLine({ ...index, key: "collection log", sigil: "+" }, PLAIN)).toBe(
      "+ collection log: only in the source",
    );
    expect(differenceLine(index, PLAIN)).toBe("* index orders/email_1: differs");
  });

  it("says why something could not be compared", () => {
    expect(line({ kind: "unreadable", sigil: "!", detail: "larger than 16 MB", fields: [] })).toBe(
      "! orders/17  could not be compared: larger than 16 MB",
    );
  });

  it("says that the same _id is stored as another type on each side", () => {
    expect(line({ kind: "idtype", fields: [field("/_id", { target: "double" })] })).toBe(
      "* orders/17  the same _id to the server, stored differently  /_id int → double",
    );
  });

  it("marks what was still changing, what only the copy changed, and what does not count", () => {
    expect(line({ state: "moving", rounds: 4, drift: "diverged" })).toBe(
      "* orders/17  /total int → long  still changing (read 4 times)  diverged",
    );
    expect(line({ counted: false })).toMatch(/ {2}accepted$/);
    expect(line({ kind: "extra", sigil: "-", fields: [], counted: false })).toMatch(/ {2}not counted$/);
  });

  it.each([
    ["an absent side", { source: undefined, target: "array" }, "/a absent → array"],
    ["one type on both sides", { source: "string", target: "string" }, "/a string"],
    [
      "values of one type",
      { source: "string", target: "string", sourceValue: '"x"', targetValue: '"y"' },
      '/a string "x" → "y"',
    ],
    ["values of two types", { sourceValue: "1", targetValue: "2" }, "/a int 1 → long 2"],
    ["a note", { note: "other bits of NaN" }, "/a int → long (other bits of NaN)"],
  ])("shows a field with %s", (_name, more, text) => {
    expect(line({ fields: [field("/a", more)] })).toBe(`* orders/17  ${text}`);
  });

  it("says what differs when the difference is in the document as a whole", () => {
    const whole = { source: "object", target: "object" };
    expect(line({ fields: [field("", { ...whole, note: "order of fields" })] })).toBe(
      "* orders/17  order of fields",
    );
    expect(line({ fields: [field("", whole)] })).toBe("* orders/17  the document object");
    expect(line({ fields: [] })).toBe("* orders/17  different bytes");
  });

  it("names three fields and counts the others, or names all of them on request", () => {
    expect(line({ fields: FIVE, moreFields: 9_000 })).toMatch(/\/c int → long \(and 9,002 more\)$/);
    const all = differenceLine(difference({ fields: FIVE }), { ...PLAIN, allFields: true });
    expect(all).toMatch(/\/e int → long$/);
  });

  it("shortens paths, values and reasons of any length", () => {
    const huge = "\u{1f600}注".repeat(300_000);
    const text = line({
      kind: "unreadable",
      detail: huge,
      fields: [field(huge, { sourceValue: huge, note: huge })],
    });
    expect(text.length).toBeLessThan(1_300);
    expect(safeText(text)).toBe(text);
    expect(text).toContain("…");
  });

  it("colours the sigil by its kind", () => {
    const paint = new Chalk({ level: 1 });
    const sigil = (of: Difference["sigil"]) => differenceLine(difference({ sigil: of }), { ...PLAIN, paint });
    expect(sigil("+").startsWith(paint.green("+"))).toBe(true);
    expect(sigil("-").startsWith(paint.red("-"))).toBe(true);
    expect(sigil("*").startsWith(paint.yellow("*"))).toBe(true);
    expect(sigil("!").startsWith(paint.bold.red("!"))).toBe(true);
  });
});
