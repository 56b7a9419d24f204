/**
 * What is to become of one document that a primary and its copy both may change: one table for all directions. The direction only says
 * which side may be written.
 */
import type { Agreement } from "../../connectors/powers/agreements.ts";
import type { Content } from "../../connectors/powers/contents.ts";

export type Direction = "to copy" | "to primary" | "both";

/** What to do with a document that was changed on both sides, or that differs and was never agreed on. */
export type ConflictRule = "primary" | "copy" | "park";

export interface SyncRules {
  readonly direction: Direction;
  readonly onConflict: ConflictRule;
  /** What is gone from one side is removed from the other one. */
  readonly deletes: boolean;
  /** Documents that were marked as gone from the primary are written there again, too. */
  readonly restoresMarked: boolean;
}

/** One document on both sides. */
export interface BothSides {
  readonly primary: Pick<Content, "hash" | "expiresAt"> | undefined;
  readonly copy: Pick<Content, "hash" | "expiresAt"> | undefined;
  /** Both are there and say the same. */
  readonly same: boolean;
  readonly agreed: Agreement | undefined;
}

/** Why a document is as it is. */
export type Finding =
  | "equal"
  | "expiry differs"
  | "changed in primary"
  | "changed in copy"
  | "only in primary"
  | "only in copy"
  | "conflict"
  | "gone from primary"
  | "gone from copy"
  | "gone from both"
  | "expired";

export interface Decision {
  readonly finding: Finding;
  /**
   * `agree`: both say the same, which is to be noted. `mark`: it is noted that the primary has it no longer. `forget`: what was noted of
   * it is dropped. `leave`: nothing is changed.
   */
  readonly action:
    | "agree"
    | "write copy"
    | "write primary"
    | "remove from copy"
    | "remove from primary"
    | "mark"
    | "forget"
    | "leave";
  /** The document's expiry after it is written. */
  readonly expiresAt?: number | undefined;
}

/** Times of expiry that differ by less are the same: milliseconds. */
const EXPIRY_TOLERANCE = 2_000;

/** What expired so long ago may be removed from the copy: milliseconds. */
const LONG_EXPIRED = 30 * 24 * 60 * 60 * 1_000;

/** `now`: milliseconds since 1970. */
export function decide(sides: BothSides, rules: SyncRules, now: number): Decision {
  const { copy, agreed } = sides;
  const primary = isOver(sides.primary, now) ? undefined : sides.primary;
  if (primary === undefined && copy === undefined)
    return { finding: "gone from both", action: agreed === undefined ? "leave" : "forget" };
  if (primary === undefined) return withoutPrimary(sides, rules, now);
  if (copy === undefined) return withoutCopy(primary, agreed, rules);
  // What the copy holds has run out: it is no newer than anything.
  if (isOver(copy, now)) return toCopy(sides.same ? "expiry differs" : "changed in primary", primary, rules);
  if (sides.same) return withExpiry(primary, copy, agreed, rules);
  return withDifference(primary, copy, agreed, rules);
}

type SideContent = NonNullable<BothSides["primary"]>;

function withoutPrimary({ copy, agreed }: BothSides, rules: SyncRules, now: number): Decision {
  if (isOver(copy, now)) {
    const isOld = copy?.expiresAt !== undefined && copy.expiresAt <= now - LONG_EXPIRED;
    const removes = isOld && rules.deletes && rules.direction !== "to primary";
    return { finding: "expired", action: removes ? "remove from copy" : "leave" };
  }
  if (agreed === undefined) return toPrimary("only in copy", copy, rules);
  if (copy?.hash !== agreed.copy) {
    // Back as it was before the primary's version came: undone, and the primary's is gone.
    if (copy?.hash === agreed.replaced?.copy) return settled("conflict", undefined, copy, rules);
    return toPrimary("changed in copy", copy, rules);
  }
  const finding = "gone from primary";
  if (rules.direction === "to primary") {
    const returns = agreed.missingSince === undefined || rules.restoresMarked;
    return returns
      ? { finding, action: "write primary", expiresAt: copy.expiresAt }
      : { finding, action: "leave" };
  }
  if (rules.deletes) return { finding, action: "remove from copy" };
  return { finding, action: agreed.missingSince === undefined ? "mark" : "leave" };
}

function withoutCopy(primary: SideContent, agreed: Agreement | undefined, rules: SyncRules): Decision {
  const finding = agreed === undefined ? "only in primary" : "gone from copy";
  if (rules.direction !== "to primary")
    return { finding, action: "write copy", expiresAt: primary.expiresAt };
  const isUnchanged = agreed !== undefined && primary.hash === agreed.primary;
  return { finding, action: rules.deletes && isUnchanged ? "remove from primary" : "leave" };
}

/** Both say the same; which time of expiry holds? The one that was changed since the agreement, else the later one. */
function withExpiry(
  primary: SideContent,
  copy: SideContent,
  agreed: Agreement | undefined,
  rules: SyncRules,
): Decision {
  if (areSameTimes(primary.expiresAt, copy.expiresAt)) {
    const isNoted =
      agreed !== undefined &&
      agreed.missingSince === undefined &&
      agreed.primary === primary.hash &&
      agreed.copy === copy.hash &&
      areSameTimes(agreed.expiresAt, primary.expiresAt);
    return { finding: "equal", action: isNoted ? "leave" : "agree" };
  }
  const finding = "expiry differs";
  const primaryMoved = agreed === undefined || !areSameTimes(agreed.expiresAt, primary.expiresAt);
  const copyMoved = agreed === undefined || !areSameTimes(agreed.expiresAt, copy.expiresAt);
  const primaryHolds =
    primaryMoved === copyMoved
      ? (primary.expiresAt ?? Number.POSITIVE_INFINITY) > (copy.expiresAt ?? Number.POSITIVE_INFINITY)
      : primaryMoved;
  return primaryHolds ? toCopy(finding, primary, rules) : toPrimary(finding, copy, rules);
}

function withDifference(
  primary: SideContent,
  copy: SideContent,
  agreed: Agreement | undefined,
  rules: SyncRules,
): Decision {
  if (agreed === undefined) return settled("conflict", primary, copy, rules);
  const primaryChanged = primary.hash !== agreed.primary;
  const copyChanged = copy.hash !== agreed.copy;
  const { replaced } = agreed;
  const isTakenBack =
    (primaryChanged && primary.hash === replaced?.primary) || (copyChanged && copy.hash === replaced?.copy);
  if (isTakenBack || primaryChanged === copyChanged) return settled("conflict", primary, copy, rules);
  return primaryChanged
    ? toCopy("changed in primary", primary, rules)
    : toPrimary("changed in copy", copy, rules);
}

/** Both may be right: the person's rule says which is. */
function settled(
  finding: Finding,
  primary: SideContent | undefined,
  copy: SideContent | undefined,
  rules: SyncRules,
): Decision {
  if (rules.onConflict === "primary" && primary !== undefined) return toCopy(finding, primary, rules);
  if (rules.onConflict === "copy") return toPrimary(finding, copy, rules);
  return { finding, action: "leave" };
}

function toCopy(finding: Finding, primary: SideContent, { direction }: SyncRules): Decision {
  if (direction === "to primary") return { finding, action: "leave" };
  return { finding, action: "write copy", expiresAt: primary.expiresAt };
}

function toPrimary(finding: Finding, copy: SideContent | undefined, { direction }: SyncRules): Decision {
  if (direction === "to copy") return { finding, action: "leave" };
  return { finding, action: "write primary", expiresAt: copy?.expiresAt };
}

function isOver(side: Pick<Content, "expiresAt"> | undefined, now: number): boolean {
  return side?.expiresAt !== undefined && side.expiresAt <= now;
}

function areSameTimes(a: number | undefined, b: number | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return Math.abs(a - b) <= EXPIRY_TOLERANCE;
}
