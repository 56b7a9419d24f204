import { hash } from "node:crypto";
import type { Doc, DocumentId } from "../../document.ts";
import type { Side } from "../../reporting/reporter.ts";

/** What both sides held under one `_id` when it was looked at: undefined where there was nothing. */
export interface Sight {
  readonly source: Side | undefined;
  readonly target: Side | undefined;
}

/** A document that was seen to differ once, and is to be looked at again before that is believed. */
export interface Suspect {
  readonly id: DocumentId;
  readonly sight: Sight;
  /** How often it was looked at. */
  readonly rounds: number;
}

export function suspectOf(source: Doc | undefined, target: Doc | undefined): Suspect {
  const id = source?.id ?? target?.id;
  if (id === undefined) throw new RangeError("a document on neither side");
  return { id, sight: sightOf(source, target), rounds: 1 };
}

export function sightOf(source: Doc | undefined, target: Doc | undefined): Sight {
  return { source: sideOf(source), target: sideOf(target) };
}

export function sideOf(document: Doc | undefined): Side | undefined {
  if (document === undefined) return undefined;
  const { bytes } = document;
  return { sha256: hash("sha256", bytes), bytes: bytes.length };
}

/** Whether neither side has changed between the two looks. */
export function isSameSight(a: Sight, b: Sight): boolean {
  return a.source?.sha256 === b.source?.sha256 && a.target?.sha256 === b.target?.sha256;
}

/** Bytes that have to be read to look at it again. */
export function bytesOf({ sight }: Suspect): number {
  return (sight.source?.bytes ?? 0) + (sight.target?.bytes ?? 0);
}
