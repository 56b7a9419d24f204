import type { Document } from "mongodb";
import { Random } from "../../../shops/random.ts";
import type { WireRequest } from "../request.ts";
import type { ServerError } from "./errors.ts";

/** What happens to one command, in this order. Without `drop`, `hang` and `error` it is executed and answered. */
export interface Fault {
  /** It waits for so many milliseconds first. */
  readonly delayMs?: number;
  /** Its connection is dropped: before it comes to the engine, or after it was applied and before it is answered. */
  readonly drop?: "before" | "after";
  /** It is never answered, and its connection stays: before it comes to the engine, or after it was applied. */
  readonly hang?: "before" | "after";
  /** It does not come to the engine; this is its answer. */
  readonly error?: ServerError;
  /** Fields for the answer, the engine's or `error`, in place of those of the same name: writeErrors, writeConcernError, n… */
  readonly adds?: Document;
  /** These bytes are its answer, whatever it was. */
  readonly garbage?: Uint8Array;
}

/** Which commands, which of those, and what happens to them. Without `nth`, `every` and `chance`: to the next one. */
export interface FaultRule extends Fault {
  /** Name of the command, or several. */
  readonly on: string | readonly string[];
  readonly database?: string;
  readonly collection?: string;
  /** Text that the command holds somewhere: a field, a stage, an operator. */
  readonly mentions?: string;
  /** To the n-th from now, the first is 1. */
  readonly nth?: number;
  /** To every k-th from now. */
  readonly every?: number;
  /** To each with this probability, by the proxy's seed. */
  readonly chance?: number;
  /** How often at most. Default: once, or without end with `every` or `chance`. */
  readonly times?: number;
}

/** A rule at work. */
export interface SetFault {
  /** How often it has happened: what is dropped or hangs after it was applied, once the engine has answered. */
  readonly happened: number;
  /** Ends it. */
  cancel(): void;
}

class Rule implements SetFault {
  happened = 0;
  #seen = 0;
  readonly #rule: FaultRule;
  #left: number;

  constructor(rule: FaultRule) {
    const endless = rule.every !== undefined || rule.chance !== undefined;
    this.#rule = rule;
    this.#left = rule.times ?? (endless ? Number.POSITIVE_INFINITY : 1);
  }

  cancel(): void {
    this.#left = 0;
  }

  /** Counts the command if it is meant, and tells what happens to it. */
  next(request: WireRequest, random: Random): Fault | undefined {
    const { on, database, collection, mentions } = this.#rule;
    if (this.#left === 0 || !(typeof on === "string" ? [on] : on).includes(request.name)) return undefined;
    if (database !== undefined && database !== request.database) return undefined;
    if (collection !== undefined && collection !== request.collection) return undefined;
    if (mentions !== undefined && !request.bytes.includes(mentions)) return undefined;
    this.#seen++;
    if (!this.#strikes(random)) return undefined;
    this.#left--;
    const { drop, hang } = this.#rule;
    if (drop !== "after" && hang !== "after") this.happened++;
    return this.#rule;
  }

  /** A command was applied, and is not answered. */
  applied(): void {
    this.happened++;
  }

  #strikes(random: Random): boolean {
    const { nth, every, chance } = this.#rule;
    if (chance !== undefined) return random.chance(chance);
    if (every !== undefined) return this.#seen % every === 0;
    return this.#seen >= (nth ?? 1);
  }
}

/** A fault of one command. */
export interface Struck extends Fault {
  /** To be called when what is dropped or hangs `after` it was applied is so. */
  readonly onApplied: () => void;
}

/** The faults of one proxy. */
export class FaultBook {
  readonly #rules: Rule[] = [];
  readonly #random: Random;

  constructor(seed: number) {
    this.#random = new Random(seed);
  }

  set(rule: FaultRule): SetFault {
    const set = new Rule(rule);
    this.#rules.push(set);
    return set;
  }

  cancelAll(): void {
    for (const rule of this.#rules.splice(0)) rule.cancel();
  }

  /** The fault of this command, by the rule that was set first; later ones count it, too, unless it has one. */
  next(request: WireRequest): Struck | undefined {
    for (const rule of this.#rules) {
      const fault = rule.next(request, this.#random);
      if (fault !== undefined) return { ...fault, onApplied: () => rule.applied() };
    }
    return undefined;
  }
}
