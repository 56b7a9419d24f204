import { describe, expect, it } from "vitest";
import { PAGE_STYLE } from "../../../src/reporting/page/page-style.ts";

/** The colours of each of the page's themes: light, dark, print. */
const themes = [...PAGE_STYLE.text.matchAll(/:root \{([^}]*)\}/g)].map(([, body = ""]) =>
  Object.fromEntries(
    Array.from(body.matchAll(/--([a-z-]+): (#[0-9a-f]{6})/g), ([, name, value]) => [name, value]),
  ),
);

function luminance(color: string): number {
  const parts = [1, 3, 5].map((at) => Number.parseInt(color.slice(at, at + 2), 16) / 255);
  const [red = 0, green = 0, blue = 0] = parts.map((part) =>
    part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4,
  );
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** As WCAG 2 defines it. */
function contrast(one: string, other: string): number {
  const [dark = 0, light = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}

describe("colours of the HTML page", () => {
  it("the page has three colour themes", () => {
    expect(themes).toHaveLength(3);
  });

  it.each([
    ["text", "back"],
    ["text", "card"],
    ["text", "good-back"],
    ["text", "note-back"],
    ["text", "bad-back"],
    ["faint", "back"],
    ["faint", "card"],
    ...["good", "note", "bad"].flatMap((tone) => [
      [tone, "back"],
      [tone, "card"],
      [tone, `${tone}-back`],
    ]),
  ])("the contrast of %s on %s is at least 4.5 in every theme", (text = "", back = "") => {
    for (const theme of themes) {
      expect(contrast(theme[text] ?? "#000000", theme[back] ?? "#000000")).toBeGreaterThanOrEqual(4.5);
    }
  });
});
