/** What the settings of the project's sessions do to texts, as far as it is known. */
import { mostDigits } from "./text-forms.ts";

/** Settings under which one value may have several texts, or one text may be of several values. */
export type Setting = "extra_float_digits" | "DateStyle" | "IntervalStyle" | "lc_monetary";

/** As the project's optional function returns them. */
export type SessionSettings = ReadonlyMap<string, string>;

/** `bad`: what is printed under this setting is not the value, or another one to whoever has not set it. */
type SettingVerdict = "unknown" | "good" | "bad";

/** More digits than a Double, or a Single, is sure to give back are printed only where all of them are. */
const DIGITS = { float4: 6, float8: 15 } as const;

export class Session {
  readonly #verdicts = new Map<Setting, SettingVerdict>();
  /** The project has said it, so that nothing needs to be looked for. */
  #isKnown = false;

  is(setting: Setting, verdict: SettingVerdict): boolean {
    return (this.#verdicts.get(setting) ?? "unknown") === verdict;
  }

  /** What was seen once is not unseen: the connections of a project may differ for a while. */
  found(setting: Setting, verdict: "good" | "bad"): void {
    if (!this.is(setting, "bad")) this.#verdicts.set(setting, verdict);
  }

  /** Floating-point numbers are known to arrive rounded, without one having been looked at. */
  get isToldToRound(): boolean {
    return this.#isKnown && this.is("extra_float_digits", "bad");
  }

  /** The settings that are known to be unusual. */
  get unusual(): readonly Setting[] {
    return [...this.#verdicts].flatMap(([setting, verdict]) => (verdict === "bad" ? [setting] : []));
  }

  learn(settings: SessionSettings): void {
    const check = (setting: Setting, isGood: (value: string) => boolean): void => {
      const value = settings.get(setting);
      if (value !== undefined) this.found(setting, isGood(value) ? "good" : "bad");
    };
    this.#isKnown = settings.has("extra_float_digits");
    check("extra_float_digits", (value) => Number(value) >= 1);
    check("DateStyle", (value) => value.startsWith("ISO"));
    check("IntervalStyle", (value) => value !== "sql_standard");
  }

  /** Numbers that show all of their digits prove that all do. */
  seeNumbers(kind: "float4" | "float8", text: string): void {
    if (mostDigits(text) > DIGITS[kind]) this.found("extra_float_digits", "good");
  }
}
