import { describe, expect, it } from "vitest";
import { cutMiddle, pad, shortened, textWidth, wrapped } from "../../../src/reporting/text/text-width.ts";

describe("text width", () => {
  it.each([
    ["orders", 6],
    ["", 0],
    ["注文の履歴", 10],
    ["ｶﾀｶﾅ", 4],
    ["주문", 4],
    ["cafe\u0301", 4],
    ["שלום", 4],
    ["नमस्ते", 3],
    ["😀", 2],
    ["🇫🇷", 2],
    ["→…█", 3],
    ["a\u200bb", 2],
  ])("measures %s as %d columns", (text, width) => {
    // Devanagari clusters take one to two columns, by terminal.
    expect(textWidth(text)).toBeGreaterThanOrEqual(width);
    expect(textWidth(text)).toBeLessThanOrEqual(text === "नमस्ते" ? 4 : width);
  });

  it("cutMiddle cuts out the middle and keeps both ends", () => {
    expect(cutMiddle("order_events_archive_2024_europe", 15)).toBe("order_e…_europe");
    expect(cutMiddle("orders", 6)).toBe("orders");
    expect(cutMiddle("orders", 1)).toBe("…");
    expect(cutMiddle("orders", 0)).toBe("");
  });

  it("cutMiddle never cuts through a character and never exceeds the width", () => {
    for (const name of ["注文の履歴と顧客の一覧", `e\u0301`.repeat(20), "👩‍🚒".repeat(9), "a注".repeat(9)]) {
      for (let width = 1; width < 20; width += 1) {
        const cut = cutMiddle(name, width);
        expect(textWidth(cut)).toBeLessThanOrEqual(width);
        expect(cut).not.toMatch(/^\u0301|…\u0301|\u200d…|…\u200d/u);
      }
    }
  });

  it("pads text by columns, not by characters", () => {
    expect(pad("注文", 6)).toBe("注文  ");
    expect(pad("12", 5, "right")).toBe("   12");
  });

  it("breaks lines only between words", () => {
    expect(wrapped("a copy is not a point in time", 12)).toBe("a copy is\nnot a point\nin time");
    expect(wrapped("  name: a reason that is long", 14, "    ")).toBe(
      "  name: a\n    reason\n    that is\n    long",
    );
    expect(wrapped("unbroken", 3)).toBe("unbroken");
    expect(wrapped("  unbroken name", 5, "    ")).toBe("  unbroken\n    name");
    expect(wrapped("never broken in a pipe", Number.POSITIVE_INFINITY)).toBe("never broken in a pipe");
  });
});

describe("shortened", () => {
  it("shortened() leaves out the middle of a long text and keeps both ends", () => {
    expect(shortened("abcdefghij", 10)).toBe("abcdefghij");
    expect(shortened("abcdefghijk", 10)).toBe("abcd…hijk");
  });

  it("shortened() never leaves half a character", () => {
    const text = "\u{1f600}".repeat(50);
    for (let length = 3; length < 12; length += 1) {
      expect(shortened(text, length)).toMatch(/^\p{Emoji}+…\p{Emoji}+$|^…$/u);
      expect(shortened(`x${text}x`, length)).toMatch(/^x\p{Emoji}*…\p{Emoji}*x$/u);
    }
  });
});
