import type { CollectionInfo, Source, Target } from "../../connectors/connector.ts";
import { DualsyncError } from "../../errors.ts";
import type { Mended } from "./mended.ts";
import type { PlanCollection, PlanRow } from "./repair-plan.ts";

interface Stores {
  readonly source: Source;
  readonly target: Target;
  readonly signal: AbortSignal;
}

/** The collections of a plan as they are now: one that took the place of another is none that anybody has looked at. */
export class PlannedPairs {
  readonly #stores: Stores;
  readonly #planned: readonly PlanCollection[];
  readonly #source: ReadonlyMap<string, CollectionInfo>;
  readonly #target: ReadonlyMap<string, CollectionInfo>;

  private constructor(
    stores: Stores,
    planned: readonly PlanCollection[],
    [source, target]: readonly [readonly CollectionInfo[], readonly CollectionInfo[]],
  ) {
    this.#stores = stores;
    this.#planned = planned;
    this.#source = new Map(source.map((info) => [info.name, info]));
    this.#target = new Map(target.map((info) => [info.name, info]));
  }

  static async of(stores: Stores, planned: readonly PlanCollection[]): Promise<PlannedPairs> {
    const { source, target, signal } = stores;
    const [from, to] = await Promise.all([source.list(signal), target.list(signal)]);
    return new PlannedPairs(stores, planned, [from.collections, to.collections]);
  }

  /** The target's collection of the row at this moment, or what speaks against changing it. */
  async look(
    row: PlanRow,
  ): Promise<
    | { readonly target: CollectionInfo; readonly objection?: undefined }
    | { readonly target?: undefined; readonly objection: string }
  > {
    const from = this.#source.get(row.collection);
    const to = this.#target.get(row.targetCollection);
    const planned = this.#planned.find(
      (pair) => pair.source === row.collection && pair.target === row.targetCollection,
    );
    if (planned === undefined) return { objection: "the plan does not name its collection" };
    const objection =
      (await this.#objectionTo("source", from, planned.sourceIncarnation)) ??
      (await this.#objectionTo("target", to, planned.targetIncarnation));
    if (objection !== undefined) return { objection };
    return to === undefined ? { objection: "" } : { target: to };
  }

  async #objectionTo(
    role: "source" | "target",
    info: CollectionInfo | undefined,
    incarnation: string | undefined,
  ): Promise<string | undefined> {
    if (info === undefined || info.kind !== "collection")
      return `the ${role} has no such collection any more`;
    const same = incarnation === undefined || info.incarnation === incarnation;
    if (same && (await this.#stores[role].isStillThere(info, this.#stores.signal))) return undefined;
    return `its collection in the ${role} was dropped or replaced since the plan was made`;
  }

  /** What was read back was read from the collections that are meant. @throws DualsyncError `unverified` */
  async mustStillBeThere({ collections }: Mended): Promise<void> {
    for (const [name, { changed }] of collections) {
      const info = this.#target.get(name);
      if (changed === 0 || info === undefined) continue;
      if (await this.#stores.target.isStillThere(info, this.#stores.signal)) continue;
      throw new DualsyncError(
        "unverified",
        `The collection ${name} was dropped or replaced in the target while it was mended.`,
        { hint: "Another program did that: look at the target, then compare again." },
      );
    }
  }
}
