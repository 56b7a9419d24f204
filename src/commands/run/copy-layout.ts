/** A copy that lies in a store of another kind, in one of several layouts: the store is opened in that of the copy that it holds. */
import type { Connector, StoreRole } from "../../connectors/connector.ts";
import type { Store } from "../../connectors/contract.ts";
import type { LaidOutStore, LayoutFound, LayoutSurvey } from "../../connectors/copy-layouts.ts";
import { connectorOf } from "../../connectors/registry.ts";
import type { NotCopied } from "../../model/collection.ts";
import { configurationError } from "../../model/configuration-error.ts";
import { DualsyncError } from "../../model/errors.ts";
import { grouped } from "../../reporting/text/format.ts";
import { type Stores, type StoresOptions, withStores } from "./stores.ts";

/** Names that a note lists. */
const LISTED = 20;

/** A copy that was opened in its layout. */
export interface OpenedCopy {
  readonly role: StoreRole;
  readonly store: LaidOutStore;
  readonly layout: string;
  /** The label of the primary that it was begun from; undefined: dualsync did not begin it. */
  readonly from: string | undefined;
}

/** Two stores, of which one may be the copy of the other in a layout: then it has the collections that its primary has. */
export interface PrimaryAndCopy extends Stores {
  readonly copy?: OpenedCopy | undefined;
}

type BothLocations = Pick<StoresOptions, "from" | "to">;

/** The one of the two whose copies have layouts, where the other has none. */
export function layingOut({ from, to }: BothLocations): Connector | undefined {
  const [left, right] = [connectorOf(from), connectorOf(to)];
  // An archive keeps what the primary gave.
  if (left.keepsAll === true || right.keepsAll === true) return undefined;
  if ((left.layouts === undefined) === (right.layouts === undefined)) return undefined;
  return left.layouts === undefined ? right : left;
}

/** As `withStores`; a copy in a layout is opened in it. */
export async function withCopy<T>(
  options: StoresOptions,
  signal: AbortSignal,
  work: (stores: PrimaryAndCopy) => Promise<T>,
): Promise<T> {
  return await withStores(
    options,
    signal,
    async (stores) => await work(await laidOut(stores, options, signal)),
  );
}

async function laidOut(stores: Stores, sides: BothLocations, signal: AbortSignal): Promise<PrimaryAndCopy> {
  const primary = layingOut(sides);
  const layouts = await primary?.layouts?.();
  if (primary === undefined || layouts === undefined) return stores;
  const role = connectorOf(sides.from) === primary ? "target" : "source";
  const found = await layouts.look(stores[role], signal);
  const layout = layoutThere(found, primary, stores[role]);
  const store = layouts.open(stores[role], layout);
  return { ...stores, [role]: store, copy: { role, store, layout, from: found.remembered?.from } };
}

/** @throws DualsyncError `refused` where it is not clear how the copy lies there */
function layoutThere(found: LayoutFound, primary: Connector, { label }: Pick<Store, "label">): string {
  const { words, primary: { copiedBy = "" } = {} } = primary;
  const layout = onlyLayout(
    found,
    label,
    words.documents,
    `Say once which one counts: dualsync ${copiedBy} --layout NAME.`,
  );
  if (layout !== undefined) return layout;
  throw new DualsyncError("refused", `${label} holds no copy of ${words.store}.`, {
    hint: `Nothing was changed. Is this the right database? dualsync ${copiedBy} begins a copy.`,
  });
}

/**
 * The layout that was decided on, or the only one in which a copy lies there; undefined: there is none.
 * @throws DualsyncError `refused` where there are several; `next` is what to do then
 */
export function onlyLayout(
  { remembered, present }: LayoutFound,
  label: string,
  documents: string,
  next: string,
): string | undefined {
  const there = [...present].filter(([, number]) => number > 0);
  if (remembered !== undefined || there.length < 2) return remembered?.layout ?? there[0]?.[0];
  const each = there.map(([name, number]) => `${name} (${grouped(number)} ${documents})`).join(" and ");
  throw new DualsyncError("refused", `${label} holds copies in several layouts: ${each}.`, {
    hint: `Nothing was changed. ${next}`,
  });
}

/** What people should know of the copy before it is compared or restored from. `primary`: the other store's label. */
export async function copyNotes(
  { store, layout, from }: OpenedCopy,
  primary: string,
  signal: AbortSignal,
): Promise<string[]> {
  const begun =
    from === undefined
      ? "dualsync did not begin this copy"
      : from === primary
        ? undefined
        : `it was begun from ${from}, not from ${primary}`;
  return [
    `Layout of the copy: ${layout}${begun === undefined ? "" : `; ${begun}`}.`,
    ...notPartNotes(await store.survey(signal)),
  ];
}

/** What lies beside the copy, or cannot be part of it. */
export function notPartNotes({ notPart }: Pick<LayoutSurvey, "notPart">): string[] {
  return notesOn("Not part of the copy", notPart);
}

/** What the layout has no form for. */
export function asideNotes({ aside }: Pick<LayoutSurvey, "aside">): string[] {
  return notesOn("Kept in the layout records", aside);
}

function notesOn(heading: string, things: readonly NotCopied[]): string[] {
  if (things.length === 0) return [];
  const some = things.slice(0, LISTED).map(({ name, reason }) => `${name} (${reason})`);
  const more = things.length > some.length ? ` and ${grouped(things.length - some.length)} more` : "";
  return [`${heading}: ${some.join(", ")}${more}.`];
}

/** @throws DualsyncError `usage` where one side is a store whose copies have layouts: they are not repaired document by document */
export function assertRepairable({ from, to }: BothLocations, what: string): void {
  const primary = [from, to].map(connectorOf).find(({ layouts }) => layouts !== undefined);
  if (primary === undefined) return;
  throw configurationError(
    `${what} cannot be used where one side is ${primary.words.store}.`,
    `dualsync ${primary.primary?.copiedBy} brings both sides together, and saves what it overwrites.`,
  );
}
