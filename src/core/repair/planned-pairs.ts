import type { CollectionInfo, Listing } from "../../connectors/collection.ts";
import type { Reader } from "../../connectors/contract.ts";
import { DualsyncError } from "../../model/errors.ts";
import { unreadable } from "../plan/plan.ts";
import { exists } from "../walk/presence.ts";
import type { PlanCollection, PlanRow } from "./repair-plan.ts";
import type { RepairResult } from "./repair-result.ts";

interface PairStores {
  readonly source: Reader;
  readonly target: Reader;
  readonly signal: AbortSignal;
}

/** The collections of a plan as they are now: one that took the place of another is none that anybody has looked at. */
export class PlannedPairs {
  readonly #stores: PairStores;
  readonly #planned: readonly PlanCollection[];
  readonly #source: ReadonlyMap<string, CollectionInfo>;
  readonly #target: ReadonlyMap<string, CollectionInfo>;
  /** Why collections of either side cannot be read, by name. */
  readonly #unreadable: Readonly<Record<"source" | "target", ReadonlyMap<string, string>>>;

  private constructor(
    stores: PairStores,
    planned: readonly PlanCollection[],
    [source, target]: readonly [Listing, Listing],
  ) {
    this.#stores = stores;
    this.#planned = planned;
    this.#source = new Map(source.collections.map((info) => [info.name, info]));
    this.#target = new Map(target.collections.map((info) => [info.name, info]));
    const reasons = (listing: Listing) =>
      new Map(unreadable(listing).map(({ name, reason }) => [name, reason]));
    this.#unreadable = { source: reasons(source), target: reasons(target) };
  }

  static async of(stores: PairStores, planned: readonly PlanCollection[]): Promise<PlannedPairs> {
    const { source, target, signal } = stores;
    const [from, to] = await Promise.all([
      source.list(signal, (name) => planned.some((pair) => pair.source === name)),
      target.list(signal, (name) => planned.some((pair) => pair.target === name)),
    ]);
    return new PlannedPairs(stores, planned, [from, to]);
  }

  /** The collection of this name as it was listed. */
  info(role: "source" | "target", name: string): CollectionInfo | undefined {
    return (role === "source" ? this.#source : this.#target).get(name);
  }

  /** Why the row's document cannot be looked at, where its collection can be read on neither side or on one only. */
  async unreadable(row: PlanRow): Promise<string | undefined> {
    const source = await this.#reason("source", row.collection, this.#source);
    return source ?? (await this.#reason("target", row.targetCollection, this.#target));
  }

  async #reason(
    role: "source" | "target",
    name: string,
    listed: ReadonlyMap<string, CollectionInfo>,
  ): Promise<string | undefined> {
    if (listed.has(name)) return undefined;
    const { [role]: store, signal } = this.#stores;
    const reason = this.#unreadable[role].get(name) ?? (await store.hiding?.reason(name, signal));
    return reason === undefined ? undefined : `its collection in the ${role} cannot be read: ${reason}`;
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
      (await this.#objectionTo("source", from, planned.sourceUid)) ??
      (await this.#objectionTo("target", to, planned.targetUid));
    if (objection !== undefined) return { objection };
    return to === undefined ? { objection: "" } : { target: to };
  }

  async #objectionTo(
    role: "source" | "target",
    info: CollectionInfo | undefined,
    uid: string | undefined,
  ): Promise<string | undefined> {
    if (info === undefined || info.kind !== "collection") return `the ${role} no longer has this collection`;
    const same = uid === undefined || info.uid === uid;
    if (same && (await exists(this.#stores[role], info, this.#stores.signal))) return undefined;
    return `its collection in the ${role} was dropped or replaced since the plan was made`;
  }

  /** What was read back was read from the collections that are meant. @throws DualsyncError `unverified` */
  async assertStillExists({ collections }: RepairResult): Promise<void> {
    for (const [name, { changed }] of collections) {
      const info = this.#target.get(name);
      if (changed === 0 || info === undefined) continue;
      if (await exists(this.#stores.target, info, this.#stores.signal)) continue;
      throw new DualsyncError(
        "unverified",
        `The collection ${name} was dropped or replaced in the target while it was repaired.`,
        { hint: "Another program did this: look at the target, then compare again." },
      );
    }
  }
}
