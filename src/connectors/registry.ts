/** Which connector serves which kind of location. A driver is loaded when the first location of its kind is opened. */
import { DualsyncError } from "../model/errors.ts";
import type { Target } from "./contract.ts";

/** What a connector must know to open a store. */
export type StoreAddress = MongodbAddress | SupabaseAddress;

interface Address {
  readonly hosts: readonly string[];
  readonly database: string;
  /** For people, without a credential. */
  readonly label: string;
}

export interface MongodbAddress extends Address {
  readonly kind: "mongodb";
  readonly uri: string;
}

/** The database is the schema whose tables are meant. */
export interface SupabaseAddress extends Address {
  readonly kind: "supabase";
  /** The project's address, without the path of its REST interface. */
  readonly url: string;
  readonly key: string;
}

export interface OpenOptions {
  readonly role: "source" | "target";
  /** How often a failed call is tried again. */
  readonly retries?: number | undefined;
  readonly signal: AbortSignal;
}

export async function openStore(address: StoreAddress, options: OpenOptions): Promise<Target> {
  const { role, retries, signal } = options;
  switch (address.kind) {
    case "mongodb": {
      const { mongodb } = await import("./mongodb/mongodb.ts");
      const { uri, database, label } = address;
      return await mongodb({ uri, database, label, role, retries }, signal);
    }
    case "supabase": {
      const { supabase } = await import("./supabase/supabase.ts");
      const { url, key, database, label } = address;
      return await supabase({ url, key, schema: database, label, role, retries }, signal);
    }
    default:
      throw new DualsyncError("usage", "There is no connector for this kind of store yet.");
  }
}
