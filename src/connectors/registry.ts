/** Which connectors there are. A driver is loaded when the first location of its kind is opened. */
import { DualsyncError } from "../model/errors.ts";
import { archive } from "./archive/connector.ts";
import type { Connector, Location, OpenOptions, StoreCommand, StoreRole } from "./connector.ts";
import type { Store } from "./contract.ts";
import { kv } from "./kv/connector.ts";
import { mongodb } from "./mongodb/connector.ts";
import { supabase } from "./supabase/connector.ts";

const known: Connector[] = [mongodb, supabase, kv, archive];

export function connectors(): readonly Connector[] {
  return known;
}

/** Those whose stores can be opened: nothing offers the others. */
export function openable(): readonly Connector[] {
  return known.filter(({ open }) => open !== undefined);
}

/** Adds a connector. @returns what takes it out again */
export function register(connector: Connector): () => void {
  known.push(connector);
  return () => void known.splice(known.indexOf(connector), 1);
}

/** The connector of a location. */
export function connectorOf({ kind }: Pick<Location, "kind">): Connector {
  const found = known.find((connector) => connector.kind === kind);
  if (found === undefined) throw new DualsyncError("bug", `There is no connector for ${kind}.`);
  return found;
}

/** @throws DualsyncError `usage` where the command has no use for such a store in this role */
export function assertServed(command: StoreCommand, location: Location, role: StoreRole): void {
  if (connectorOf(location).serves[command]?.includes(role) === true) return;
  const able = openable().filter(({ serves }) => serves[command]?.includes(role) === true);
  const verb = role === "source" ? "reads from" : "writes to";
  throw new DualsyncError(
    "usage",
    `${command} ${verb} ${able.map(({ words }) => words.store).join(" or ")}, and its ${role} is ${location.kind}.`,
    { hint: `Nothing was contacted. Give another location with ${role === "source" ? "--from" : "--to"}.` },
  );
}

/** Opens a store. @throws DualsyncError when it cannot be reached or used */
export async function openStore(location: Location, options: OpenOptions): Promise<Store> {
  const store = await connectorOf(location).open?.(location, options);
  if (store !== undefined) return store;
  throw new DualsyncError("usage", "There is no connector for this kind of store yet.");
}
