import { printId } from "../bson/print-id.ts";
import type { SetAside } from "../connectors/connector.ts";
import { safeText } from "../redact.ts";
import type { Item } from "../reporting/reporter.ts";

/** As many losses are kept by name; more are counted. */
const KEPT = 1_000;

/** Everything that did not arrive, by name. What the person has accepted is listed but does not count. */
export class Losses {
  readonly #accepted: ReadonlySet<string>;
  readonly #items = new Map<string, Item>();
  #unnamed = 0;
  #counted = 0;

  constructor(accepted: readonly string[]) {
    this.#accepted = new Set(accepted);
  }

  /** The key is kept as people see it, so that what they copy from the report into --accept is the same text. */
  add(name: string, reason: string): void {
    const key = safeText(name);
    if (this.#items.has(key)) return;
    const accepted = this.#accepted.has(key);
    if (!accepted) this.#counted++;
    if (this.#items.size < KEPT) this.#items.set(key, { key, reason, accepted });
    else this.#unnamed++;
  }

  addDocuments(collection: string, documents: readonly SetAside[]): void {
    for (const { id, reason } of documents) this.add(`document ${collection}/${printId(id.element)}`, reason);
  }

  /** Losses that count towards the exit code. */
  get counted(): number {
    return this.#counted;
  }

  get total(): number {
    return this.#items.size + this.#unnamed;
  }

  get items(): readonly Item[] {
    return [...this.#items.values()];
  }

  /** Accepted keys that named nothing in this run: perhaps mended, perhaps misspelt. */
  get unusedAcceptances(): readonly string[] {
    return [...this.#accepted].filter((key) => !this.#items.has(key));
  }
}
