import type { RepairPlan } from "../../core/repair/apply-repair.ts";
import {
  isHead,
  type PlanHead,
  type PlanRow,
  type RepairAction,
  readPlan,
} from "../../core/repair/repair-plan.ts";
import { DualsyncError } from "../../model/errors.ts";
import { readLines } from "../../state/files/read-lines.ts";

/** How many documents of a collection a plan would have changed in which way. */
export type PlannedChanges = Readonly<Record<RepairAction, number>>;

/** A plan of a person, read from its file over and over; each time every line is checked. */
export class RepairPlanReader implements RepairPlan {
  readonly head: PlanHead;
  /** By the names of the collections in the target. */
  readonly changes: ReadonlyMap<string, PlannedChanges>;
  readonly #path: string;
  readonly #name: string;

  private constructor(
    path: string,
    name: string,
    head: PlanHead,
    changes: ReadonlyMap<string, PlannedChanges>,
  ) {
    this.#path = path;
    this.#name = name;
    this.head = head;
    this.changes = changes;
  }

  /** Reads it to its end before anything is done by it: a damaged one does nothing. `name` is for people. */
  static async read(path: string, name: string): Promise<RepairPlanReader> {
    let head: PlanHead | undefined;
    const changes = new Map<string, Record<RepairAction, number>>();
    for await (const part of readPlan(readLines(path), name)) {
      if (isHead(part)) {
        head = part;
        continue;
      }
      const counts = changes.get(part.targetCollection) ?? { insert: 0, replace: 0, remove: 0 };
      counts[part.do]++;
      changes.set(part.targetCollection, counts);
    }
    if (head === undefined) throw new DualsyncError("bug", "A plan without a head was read.");
    return new RepairPlanReader(path, name, head, changes);
  }

  get collections(): PlanHead["collections"] {
    return this.head.collections;
  }

  async *rows(): AsyncGenerator<PlanRow> {
    for await (const part of readPlan(readLines(this.#path), this.#name)) {
      if (!isHead(part)) yield part;
      else if (part.run !== this.head.run) throw this.#replaced();
    }
  }

  #replaced(): DualsyncError {
    return new DualsyncError(
      "local",
      `${this.#name} was replaced by another plan while it was carried out.`,
      {
        hint: "What was mended so far stays. Run the same command again: it shows the plan that is there now.",
      },
    );
  }
}
