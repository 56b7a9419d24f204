import type { Location } from "../../config/pairs/location.ts";
import type { MongodbAddress, StoreAddress } from "../../connectors/registry.ts";
import { DualsyncError } from "../../model/errors.ts";

/** The only schema whose tables a project shows by default. */
const SCHEMA = "public";

/** Where a connector finds the store. @throws DualsyncError `usage` where there is no connector for it */
export function addressOf(command: string, location: Location, role: "source" | "target"): StoreAddress {
  if (location.kind === "supabase") {
    const { url, key, label } = location;
    return { kind: "supabase", url, key, hosts: [new URL(url).host], database: SCHEMA, label };
  }
  return mongodbAddressOf(command, location, role);
}

/** @throws DualsyncError `usage` where it is something else */
export function mongodbAddressOf(
  command: string,
  location: Location,
  role: "source" | "target",
): MongodbAddress {
  if (location.kind === "mongodb") {
    const { uri, hosts, display } = location.address;
    return { kind: "mongodb", uri, hosts, database: location.database, label: display };
  }
  throw new DualsyncError(
    "usage",
    `${command} works with MongoDB databases, and its ${role} is ${location.kind}.`,
    { hint: `Nothing was contacted. Give a MongoDB location with ${role === "source" ? "--from" : "--to"}.` },
  );
}
