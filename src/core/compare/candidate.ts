import { hash } from "node:crypto";
import type { Doc, DocumentId } from "../../model/document.ts";
import type { Side } from "../../model/reporter.ts";

/** What both sides held under one `_id` when it was looked at: undefined where there was nothing. */
export interface Observation {
  readonly source: Side | undefined;
  readonly target: Side | undefined;
}

/** A document that was seen to differ once, and should be looked at again before that is believed. */
export interface DiffCandidate {
  readonly id: DocumentId;
  readonly observation: Observation;
  /** How often it was looked at. */
  readonly rounds: number;
}

export function candidateOf(source: Doc | undefined, target: Doc | undefined): DiffCandidate {
  const id = source?.id ?? target?.id;
  if (id === undefined) throw new RangeError("a document on neither side");
  return { id, observation: observe(source, target), rounds: 1 };
}

export function observe(source: Doc | undefined, target: Doc | undefined): Observation {
  return { source: sideOf(source), target: sideOf(target) };
}

export function sideOf(document: Doc | undefined): Side | undefined {
  if (document === undefined) return undefined;
  const { bytes } = document;
  return { sha256: hash("sha256", bytes), bytes: bytes.length };
}

/** Whether neither side has changed between the two looks. */
export function isSameObservation(a: Observation, b: Observation): boolean {
  return a.source?.sha256 === b.source?.sha256 && a.target?.sha256 === b.target?.sha256;
}

/** Bytes that have to be read to look at it again. */
export function bytesOf({ observation }: DiffCandidate): number {
  return (observation.source?.bytes ?? 0) + (observation.target?.bytes ?? 0);
}
