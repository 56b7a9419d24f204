/** Which connector serves which kind of location. A driver is loaded when the first location of its kind is opened. */
import { DualsyncError } from "../errors.ts";
import type { Target } from "./connector.ts";

/** What a connector must know to open a store; `label` is for people and holds no credential. */
export interface StoreAddress {
  readonly kind: "mongodb";
  readonly uri: string;
  readonly hosts: readonly string[];
  readonly database: string;
  readonly label: string;
}

export interface OpenOptions {
  readonly role: "source" | "target";
  /** How often a failed call is tried again. */
  readonly retries?: number;
  readonly signal: AbortSignal;
}

export async function openStore(address: StoreAddress, options: OpenOptions): Promise<Target> {
  switch (address.kind) {
    case "mongodb": {
      const { mongodb } = await import("./mongodb/mongodb.ts");
      const retries = options.retries === undefined ? {} : { retries: options.retries };
      return await mongodb(
        {
          uri: address.uri,
          database: address.database,
          label: address.label,
          role: options.role,
          ...retries,
        },
        options.signal,
      );
    }
    default:
      throw new DualsyncError("usage", `There is no connector for ${String(address.kind)} yet.`);
  }
}
