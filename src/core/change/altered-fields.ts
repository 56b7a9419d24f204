/** Fields that a store's own rules, triggers for example, make something else of than they are given. */
export class AlteredFields {
  readonly #byCollection = new Map<string, Set<string>>();

  /** Their names in the documents of a collection. */
  of(collection: string): ReadonlySet<string> {
    return this.#byCollection.get(collection) ?? NONE;
  }

  get all(): ReadonlyMap<string, ReadonlySet<string>> {
    return this.#byCollection;
  }

  add(collection: string, names: Iterable<string>): void {
    const known = this.#byCollection.get(collection) ?? new Set();
    this.#byCollection.set(collection, known);
    for (const name of names) known.add(name);
  }
}

const NONE: ReadonlySet<string> = new Set();
