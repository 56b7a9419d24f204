import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { DiffReport } from "../../../src/model/reporter.ts";
import { Redactor, safeText } from "../../../src/redact/redact.ts";
import { diffPage } from "../../../src/reporting/page/html.ts";
import { compared, difference, diffReport, field, past, without } from "../comparison-samples.ts";
import { parseErrors, type Tag, tags } from "./page-tree.ts";

const page = (more: Partial<DiffReport> = {}, redactor = new Redactor()) =>
  diffPage(diffReport(more), redactor);

const find = (all: readonly Tag[], name: string) => all.filter((tag) => tag.name === name);
const texts = (all: readonly Tag[], name: string) => find(all, name).map(({ text }) => text);

/** A report with `text` in every field that is a text. */
function filled(text: string): DiffReport {
  const names = { key: text, collection: text, targetCollection: text, id: text, detail: text };
  const types = { source: text, target: text, sourceValue: text, targetValue: text };
  const fields = [field(text, types), field(text, { ...types, note: text })];
  const kinds = ["missing", "extra", "changed", "idtype", "metadata", "content", "unreadable"] as const;
  return diffReport({
    command: text,
    source: text,
    target: text,
    collections: [compared(text), compared("renamed", { target: text, verdict: "moving" })],
    notCompared: [true, false].map((chosen) => ({ name: text, reason: text, chosen })),
    past: [past({ verdict: text })],
    samples: kinds.map((kind) => difference({ ...names, kind, fields })),
    plan: text,
    exitCode: 1,
    verdict: text,
  });
}

/** The page with `mark` in place of every text, and the texts that it must have for another one. */
function expectSame(text: string): void {
  const mark = "MARK";
  const safe = safeText(text);
  const expected = tags(diffPage(filled(mark), new Redactor()));
  const got = tags(diffPage(filled(text), new Redactor()));
  expect(got.map(({ name, attributes }) => ({ name, attributes }))).toEqual(
    expected.map(({ name, attributes }) => ({ name, attributes })),
  );
  expect(got.map((tag) => tag.text)).toEqual(expected.map((tag) => tag.text.replaceAll(mark, () => safe)));
}

describe("data in the HTML page", () => {
  it.each([
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onload='alert(1)",
    "</title></style></svg></table><h1>forged</h1>",
    "<!-- --> <![CDATA[ ]]> <?php ?>",
    "&lt;b&gt; &amp; &#60; &notin; &copy",
    "\u202egnp.exe\u202c \u2066isolated",
    "\u0000\u0007\u001b[31m\u009b\r\n\t\u2028",
    "\ud800 lone \udfff",
    "سجل الطلبات - הזמנות",
    "x".repeat(255),
    "注".repeat(85),
    "  ",
  ])("shows text from the data escaped, and never as markup: %j", expectSame);

  it("shows random text from the data escaped, and never as markup", () => {
    const pieces = fc.constantFrom(
      "<",
      ">",
      "&",
      '"',
      "'",
      "=",
      "/",
      "<script>",
      "-->",
      "]]>",
      "\u202e",
      "\ud800",
    );
    const text = fc.oneof(
      fc.string({ unit: "binary", minLength: 1, maxLength: 60 }),
      fc
        .array(fc.oneof(pieces, fc.string({ minLength: 1, maxLength: 4 })), { minLength: 1, maxLength: 20 })
        .map((all) => all.join("")),
    );
    // Without what the redaction would take for a secret: that is another test.
    const honest = text.filter((each) => new Redactor().redact(each) === each);
    fc.assert(fc.property(honest, expectSame), { numRuns: 150 });
  });

  it("shortens huge text from the data", () => {
    const huge = "a".repeat(100_000);
    expect(diffPage(filled(huge), new Redactor()).length).toBeLessThan(100_000);
  });

  it("replaces secrets in the page with ***", () => {
    const redactor = new Redactor();
    redactor.add("Tr0ub4dor&3<x>");
    const text = diffPage(filled("before Tr0ub4dor&3<x> after"), redactor);
    expect(text).not.toContain("Tr0ub4dor");
    expect(text).toContain("before *** after");
  });

  it("isolates the text direction of names", () => {
    const all = tags(diffPage(filled("הזמנות"), new Redactor()));
    const free = all.filter(({ name, own }) => own.some((text) => text.includes("הזמנות")) && name !== "bdi");
    // A title has no markup.
    expect(free.map(({ name }) => name)).toEqual(["title"]);
  });
});

describe("HTML page of a comparison", () => {
  const full = page({
    ...without(filled("orders"), "verdict"),
    collections: [
      compared("customers"),
      compared("orders", { tier: "hashes", changed: 2, moving: 1, verdict: "different" }),
      compared("paid", {
        kind: "definition",
        type: "view",
        tier: "definition",
        sourceDocuments: 0,
        targetDocuments: 0,
        equal: 0,
      }),
    ],
  });
  const all = tags(full);

  it("shows no numbers of a collection that could not be looked at", () => {
    const none = { sourceDocuments: 0, targetDocuments: 0, equal: 0, complete: false } as const;
    const unread = page({
      collections: [compared("a", { ...none, unreadable: 1, verdict: "not compared" })],
    });
    const [row] = /<tbody.*?<\/tbody>/s.exec(unread) ?? [""];
    expect(row.match(/>-<\/td>/g)).toHaveLength(7);
  });

  it("the page is well-formed HTML", () => {
    expect(parseErrors(full)).toEqual([]);
    expect(parseErrors(page({ collections: [] }))).toEqual([]);
  });

  it("the page loads nothing, runs no script and contains no links", () => {
    const known =
      "html head meta title style body main header section article h1 h2 h3 p span b bdi code dl dt dd div";
    const names = [
      ...known.split(" "),
      ..."ul li table caption thead tbody tfoot tr th td svg rect".split(" "),
    ];
    expect([...new Set(all.map(({ name }) => name))].sort()).toEqual(names.sort());
    const attributes = all.flatMap((tag) => Object.keys(tag.attributes));
    expect(attributes.filter((name) => /^(?:on|src|href|style|action|data$|xlink)/.test(name))).toEqual([]);
    expect(full).not.toMatch(/@import|url\(|https?:/);
  });

  it("the page's content security policy allows nothing but its own style", () => {
    const policy = find(all, "meta").find((tag) => tag.attributes["http-equiv"])?.attributes.content;
    const style = texts(all, "style").join("");
    const hash = createHash("sha256").update(style).digest("base64");
    expect(policy).toBe(
      `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'`,
    );
  });

  it("the page has a language, a title, headings in order, and labelled cells", () => {
    expect(find(all, "html")[0]?.attributes.lang).toBe("en");
    expect(texts(all, "title")).toEqual(["Different: orders and orders - dualsync"]);
    const levels = all.flatMap(({ name }) => (/^h\d$/.test(name) ? [Number(name[1])] : []));
    expect(levels[0]).toBe(1);
    expect(levels.every((level, index) => index === 0 || level - (levels[index - 1] ?? 0) <= 1)).toBe(true);
    expect(find(all, "th").every(({ attributes }) => ["col", "row"].includes(attributes.scope ?? ""))).toBe(
      true,
    );
    expect(find(all, "svg")[0]?.attributes).toMatchObject({ role: "img", "aria-label": expect.any(String) });
  });

  it.each([
    [0, "✓ Identical", "good"],
    [1, "Δ Different", "note"],
    [12, "? Inconclusive", "bad"],
    [4, "! Ended with 4 (source)", "bad"],
  ])(
    "the page shows at its top, in a word and a colour, what exit status %d means",
    (exitCode, words, tone) => {
      const parsed = tags(page({ exitCode, verdict: "The verdict." }));
      expect(texts(parsed, "h1")).toEqual([words]);
      const header = find(parsed, "header")[0];
      expect(header?.attributes.class).toBe(tone);
      expect(header?.text).toContain("The verdict.");
    },
  );

  it("the page says what was compared, when, how and at what cost", () => {
    const terms = texts(all, "dt");
    const facts = Object.fromEntries(terms.map((term, index) => [term, texts(all, "dd")[index]]));
    expect(facts).toMatchObject({
      When: "2026-11-21 03:17:00 to 03:17:04 UTC (4 s)",
      Documents: "2,400 of the source, 2,400 of the target",
      Bytes: "2.2 MB read to compare 2.2 MB",
      Complete: "yes",
      "Equal means": "equal byte for byte",
      "Exit status": "1",
    });
    expect(facts.How).toMatch(/^read: every byte .*; hashed: .*; definition: /);
    const less = page({ complete: false, exact: false, ranges: { done: 1, total: 3 } });
    expect(less).toContain("no: 1 of 3 ranges done");
    expect(less).toContain("equal except for the order of fields");
  });

  it("the page has a row for each collection, with labels for narrow screens", () => {
    const rows = texts(all, "tr").slice(0, 5);
    expect(rows[1]).toBe("customers1,2001,2001,2000000read✓ identical");
    expect(rows[2]).toBe("orders1,2001,2001,20000201hashedΔ different");
    expect(rows[3]).toBe("paid------0definition✓ identical");
    const labels = find(all, "td").map(({ attributes }) => attributes["data-label"]);
    expect(labels.slice(0, 3)).toEqual(["in the source", "in the target", "equal"]);
  });

  it("the page shows sample differences with their fields, and the total number of differences", () => {
    const samples = [
      difference({ fields: [field("/total", { sourceValue: "17" })], moreFields: 2, drift: "behind" }),
      difference({ key: "document orders/18", kind: "missing", sigil: "+", fields: [], state: "moving" }),
    ];
    const parsed = tags(page({ samples, differences: 12_345 }));
    expect(texts(parsed, "h2")).toContain("Differences: the first 2 of 12,345");
    const [first, second] = texts(parsed, "article").map((text) => text.replace(/\s+/g, " ").trim());
    expect(first).toBe(
      "* document orders/17 different bytes (312 B → 316 B) behind fieldsourcetarget /totalint 17long and 2 fields more",
    );
    expect(second).toBe("+ document orders/18 only in the source (312 B) still changing (read 2 times)");
  });

  it("the page shows at most 200 sample differences", () => {
    const parsed = tags(
      page({ samples: Array.from({ length: 1_000 }, () => difference()), differences: 1_000 }),
    );
    expect(find(parsed, "article")).toHaveLength(200);
    expect(texts(parsed, "h2")).toContain("Differences: the first 200 of 1,000");
  });

  it("the page shows the last comparisons, this one first, and no history when there is none", () => {
    const runs = [past({ exitCode: 12, differences: 3 }), past()];
    const parsed = tags(page({ past: runs, exitCode: 1, differences: 40 }));
    expect(texts(parsed, "h2")).toContain("The last 3 comparisons of this pair");
    const rows = texts(parsed, "tr").slice(-3);
    expect(rows[0]).toMatch(/^2026-11-21 03:17:004 s1,20040Δ Different /);
    expect(rows[1]).toMatch(/^2026-11-20 03:17:005 s1,1983\? Inconclusive /);
    expect(find(parsed, "rect").map(({ attributes }) => attributes.class)).toEqual(["good", "bad", "note"]);
    expect(page()).not.toContain("comparisons of this pair");
  });
});
