import { describe, expect, test } from "vitest";
import { readSettings, type SettingFlags, type Settings } from "../../src/config/settings/settings.ts";
import { environmentOf, failureOf } from "../support/configuration-failure.ts";

function read(variables: Record<string, string>, flags: SettingFlags = {}): Settings {
  return readSettings({ environment: environmentOf(variables), flags });
}

function batchSize(text: string): number | undefined {
  return read({}, { batchSize: text }).batchSize;
}

describe("whole numbers", () => {
  test.each([
    ["1", 1],
    ["100000", 100_000],
    [" 42 ", 42],
    ["007", 7],
  ])("--batch-size %j is read as %d", (text, expected) => {
    expect(batchSize(text)).toBe(expected);
  });

  test.each([
    "0",
    "100001",
    "-1",
    "+1",
    "1.5",
    "1e3",
    "1_000",
    "NaN",
    "Infinity",
    "0x10",
    "",
    " ",
    "false",
    "\u0661",
    "9".repeat(400),
  ])("--batch-size %j is rejected, and the message names the limits and the value", (text) => {
    const failure = failureOf(() => batchSize(text));
    expect(failure.exit).toBe("usage");
    expect(failure.message).toContain('--batch-size must be a whole number from 1 to 100000, but it is "');
    expect(failure.message.length).toBeLessThan(200);
  });

  test("the message about a wrong --batch-size is exact and escapes control characters", () => {
    expect(failureOf(() => batchSize("0")).message).toBe(
      '--batch-size must be a whole number from 1 to 100000, but it is "0". Nothing was contacted.',
    );
    expect(failureOf(() => batchSize("\u001b[2J")).message).toContain('"\\x1b[2J"');
  });
});

describe("settings", () => {
  test("settings have their defaults when nothing is set", () => {
    const { concurrency, ...others } = read({});
    expect(others).toEqual({ batchSize: undefined, maxRetries: undefined, excluded: [] });
    expect(concurrency).toBeGreaterThanOrEqual(3);
    expect(concurrency).toBeLessThanOrEqual(4);
  });

  test("settings come from the SYNC_ variables", () => {
    const variables = {
      SYNC_BATCH_SIZE: "100",
      SYNC_MAX_RETRIES: "5",
      SYNC_EXCLUDED_COLLECTIONS: " sessions,, logs_* ,cache",
    };
    expect(read(variables)).toEqual({
      batchSize: 100,
      concurrency: read({}).concurrency,
      maxRetries: 5,
      excluded: ["sessions", "logs_*", "cache"],
    });
  });

  test("a flag takes precedence over its variable, even an invalid one", () => {
    expect(
      read({ SYNC_BATCH_SIZE: "nonsense" }, { batchSize: "7", concurrency: "2", maxRetries: "0" }),
    ).toMatchObject({
      batchSize: 7,
      concurrency: 2,
      maxRetries: 0,
    });
  });

  test("all problems with settings are reported together, one sentence for each", () => {
    const variables = {
      SYNC_BATCH_SIZE: "0",
      SYNC_MAX_RETRIES: "-1",
      SYNC_EXCLUDED_COLLECTIONS: `ok,${"x".repeat(256)}`,
    };
    const failure = failureOf(() => read(variables, { concurrency: "many" }));
    expect(failure.exit).toBe("usage");
    const sentences = [
      'SYNC_BATCH_SIZE in the environment must be a whole number from 1 to 100000, but it is "0".',
      '--concurrency must be a whole number from 1 to 64, but it is "many".',
      'SYNC_MAX_RETRIES in the environment must be a whole number from 0 to 100, but it is "-1".',
      "SYNC_EXCLUDED_COLLECTIONS in the environment holds a name that is longer than 255 characters.",
    ];
    expect(failure.message).toBe(`${sentences.join(" ")} Nothing was contacted.`);
  });
});
