import { describe, expect, it } from "vitest";
import {
  isClearInterval,
  isIsoRange,
  isMadeOfOthers,
  isPlainAmount,
  mostDigits,
  showsClearInterval,
  showsIso,
} from "../../../../src/connectors/supabase/reading/exact/text-forms.ts";

describe("settings recognized by the form of a text", () => {
  it.each([
    ["0", 0],
    ["-0.1", 1],
    ["0.30000000000000004", 17],
    ["1234567890123456", 16],
    ["1.23456789012346e+15", 15],
    ["1e-300", 1],
    ["100000", 6],
    ["(1,2.5)", 2],
    ["((0.1,1.000000000000001),(12,-3e+100))", 16],
    ["NaN", 0],
  ])("mostDigits(%s) returns %i", (text, digits) => {
    expect(mostDigits(text)).toBe(digits);
  });

  it.each([
    ["empty", true, false],
    ["[2024-02-01,2024-03-04)", true, true],
    ['["2024-02-01 03:04:05.123456+00","2024-03-01 00:00:00+05:30")', true, true],
    ['(,"0044-03-15 00:00:00 BC")', true, true],
    ["(-infinity,infinity]", true, false],
    ["{}", true, false],
    ["{[2024-02-01,2024-03-04),[2025-01-01,)}", true, true],
    ["[01/02/2024,04/03/2024)", false, false],
    ["[01.02.2024,04.03.2024)", false, false],
    ["[02-01-2024,03-04-2024)", false, false],
    ['["Thu Feb 01 03:04:05 2024","Mon Mar 04 00:00:00 2024 UTC")', false, false],
  ])("isIsoRange and showsIso of %s return %s and %s", (text, isIso, shows) => {
    expect([isIsoRange(text), showsIso(text)]).toEqual([isIso, shows]);
  });

  it.each([
    ["1 year 2 mons -3 days +04:05:06.789", true, true],
    ["-1 days +02:03:04", true, true],
    ["00:00:00", true, true],
    ["10:00:00", true, false],
    ["-04:05:06", true, true],
    ["P1Y2M3DT4H5M6S", true, true],
    ["PT0S", true, true],
    ["@ 1 year 2 mons ago", true, true],
    ["@ 0", true, true],
    ["infinity", true, false],
    ["0", false, false],
    ["1-2", false, false],
    ["-1 2:03:04", false, false],
    ["+1-2 -3 +4:05:06", false, false],
    ["4:05:06", false, false],
  ])("isClearInterval and showsClearInterval of %s return %s and %s", (text, isClear, shows) => {
    expect([isClearInterval(text), showsClearInterval(text)]).toEqual([isClear, shows]);
  });

  it.each([
    ["$0.00", true],
    ["-$1,234.50", true],
    ["$92,233,720,368,547,758.07", true],
    ["1.234,50 €", false],
    ["$1.234,50", false],
    ["¥1,234", false],
    ["$1234.50", false],
  ])("isPlainAmount(%s) returns %s", (text, isPlain) => {
    expect(isPlainAmount(text)).toBe(isPlain);
  });

  it.each([
    ["(1,abc)", true],
    ["[1.5,2)", true],
    ['{"(1,abc)",NULL}', true],
    ["{1.5,2}", true],
    ["happy", false],
    ["{happy,sad}", false],
    ["a=>1", false],
  ])("isMadeOfOthers(%s) returns %s", (text, isMade) => {
    expect(isMadeOfOthers(text)).toBe(isMade);
  });
});
