import { printId } from "../../bson/print-id.ts";
import type { Rejected } from "../../connectors/write-outcome.ts";
import type { Item } from "../../model/item.ts";
import { safeText } from "../../redact/redact.ts";

/** As many losses are kept by name; more are counted. */
const KEPT = 1_000;

/** Losses as they are saved between two runs: what was accepted is decided again each time. */
export interface SavedLosses {
  readonly items: readonly (readonly [key: string, reason: string])[];
  /** Those beyond the ones that are kept by name. */
  readonly unnamed: number;
  /** Of the unnamed ones, those that were not accepted. */
  readonly unnamedCounted: number;
  /** Acceptances that named a loss, also one of the unnamed. */
  readonly usedAcceptances: readonly string[];
}

/** Everything that did not arrive, by name. What the person has accepted is listed but does not count. */
export class Losses {
  readonly #accepted: ReadonlySet<string>;
  readonly #items = new Map<string, Item>();
  /** Accepted keys that were seen, also among those that are not kept. */
  readonly #used = new Set<string>();
  #unnamed = 0;
  #unnamedCounted = 0;
  #namedCounted = 0;

  constructor(accepted: readonly string[] | ReadonlySet<string>) {
    this.#accepted = new Set(accepted);
  }

  /** An empty list with the same acceptances, to be merged when it is certain that it stands. */
  part(): Losses {
    return new Losses(this.#accepted);
  }

  merge(part: Losses): void {
    this.#restore(part.save());
  }

  /** The key is kept as people see it, so that what they copy from the report into --accept is the same text. */
  add(name: string, reason: string): void {
    const key = safeText(name);
    if (this.#items.has(key)) return;
    const accepted = this.#accepted.has(key);
    if (accepted) this.#used.add(key);
    const counts = accepted ? 0 : 1;
    if (this.#items.size < KEPT) {
      this.#items.set(key, { key, reason, accepted });
      this.#namedCounted += counts;
    } else {
      this.#unnamed++;
      this.#unnamedCounted += counts;
    }
  }

  /** Whether a person has accepted this one. */
  accepts(name: string): boolean {
    return this.#accepted.has(safeText(name));
  }

  addDocuments(collection: string, documents: readonly Rejected[]): void {
    for (const { id, reason } of documents) this.add(`document ${collection}/${printId(id.element)}`, reason);
  }

  save(): SavedLosses {
    return {
      items: this.items.map(({ key, reason }) => [key, reason] as const),
      unnamed: this.#unnamed,
      unnamedCounted: this.#unnamedCounted,
      usedAcceptances: [...this.#used],
    };
  }

  static restored(accepted: Losses, saved: SavedLosses): Losses {
    const losses = accepted.part();
    losses.#restore(saved);
    return losses;
  }

  #restore({ items, unnamed, unnamedCounted, usedAcceptances }: SavedLosses): void {
    for (const [key, reason] of items) this.add(key, reason);
    this.#unnamed += unnamed;
    this.#unnamedCounted += unnamedCounted;
    for (const key of usedAcceptances) this.#used.add(key);
  }

  /** Losses that count towards the exit code. */
  get counted(): number {
    return this.#namedCounted + this.#unnamedCounted;
  }

  get total(): number {
    return this.#items.size + this.#unnamed;
  }

  get items(): readonly Item[] {
    return [...this.#items.values()];
  }

  /** Accepted keys that named nothing in this run: perhaps fixed, perhaps misspelt. */
  get unusedAcceptances(): readonly string[] {
    return [...this.#accepted].filter((key) => !this.#used.has(key));
  }
}
