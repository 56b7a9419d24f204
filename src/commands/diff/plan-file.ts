import type { DiffPair } from "../../core/compare/diff-job.ts";
import {
  endLine,
  headLine,
  type PlanCollection,
  type PlanHead,
  type RepairAction,
  rowLine,
} from "../../core/repair/repair-plan.ts";
import type { DocumentId } from "../../model/document.ts";
import type { Difference } from "../../model/reporter.ts";
import { WholeFile } from "../../state/files/whole-file.ts";

const ACTIONS: Readonly<Record<string, RepairAction>> = {
  missing: "insert",
  extra: "remove",
  changed: "replace",
  idtype: "replace",
};

/** The plan of a repair, written as differences are found; it gets its name once it is whole. */
export class RepairPlanWriter {
  readonly #file: WholeFile;
  readonly #run: string;
  #rows = 0;

  private constructor(file: WholeFile, run: string) {
    this.#file = file;
    this.#run = run;
  }

  static async create(path: string, head: PlanHead): Promise<RepairPlanWriter> {
    const file = await WholeFile.create(path);
    await file.write(headLine(head));
    return new RepairPlanWriter(file, head.run);
  }

  /** Takes down what can be repaired: documents that one side lacks, or that differ. */
  async row(difference: Difference, id: DocumentId): Promise<void> {
    const action = ACTIONS[difference.kind];
    if (action === undefined) return;
    const { collection, targetCollection, source, target } = difference;
    const printed = difference.id ?? "";
    await this.#file.write(
      rowLine(this.#run, { do: action, collection, targetCollection, id, printed, source, target }),
    );
    this.#rows++;
  }

  /** `complete`: everything that was to be compared was. */
  async commit(complete: boolean): Promise<void> {
    await this.#file.write(endLine(this.#run, this.#rows, complete));
    await this.#file.commit();
  }

  /** Removes what was not committed. */
  async discard(): Promise<void> {
    await this.#file.discard();
  }
}

export function planCollection({ from, to }: DiffPair): PlanCollection {
  return {
    source: from.name,
    target: to.name,
    ...(from.uid === undefined ? {} : { sourceUid: from.uid }),
    ...(to.uid === undefined ? {} : { targetUid: to.uid }),
  };
}
