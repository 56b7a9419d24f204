/** The record of a connector: everything that is peculiar to one kind of store. It is one folder and one line in the registry. */
import type { Environment } from "../model/environment.ts";
import type { Filter } from "./collection.ts";
import type { Store } from "./contract.ts";
import type { CopyLayouts } from "./copy-layouts.ts";
import type { Failure } from "./failure.ts";
import type { StoreWords } from "./words.ts";

/** Verbs that work on a pair of stores which the environment may name. */
export type PairCommand = "duplicate" | "backfill" | "diff" | "restore" | "sync-kv";

/** Every verb that works on stores. */
export type StoreCommand = PairCommand | "repair" | "undo";

export type StoreRole = "source" | "target";

/**
 * Where data is, checked as far as that is possible without contacting anything. `label` is for people and holds no
 * credentials; `origin` says where it was written ("MONGODB_URI in .env.local", "--from"); `reference` is how to write
 * it as an argument without a secret, and is absent for an address that was itself an argument. Each connector adds what
 * it needs to open the store.
 */
export interface Location {
  readonly kind: string;
  readonly label: string;
  readonly origin: string;
  readonly reference?: string;
}

export interface ParsedLocation<L extends Location = Location> {
  readonly location: L;
  /** Sentences for the person, without values. */
  readonly warnings: readonly string[];
}

/** What identifies a store in the memory of a job. It has no place for a user or a password. */
export interface StorePlace {
  readonly hosts: readonly string[];
  readonly database: string;
  /** What people call the store, where its database is called the same in all of them. */
  readonly name?: string | undefined;
}

export interface OpenOptions {
  readonly role: StoreRole;
  /** How often a failed call is tried again. */
  readonly retries?: number | undefined;
  /** The label of the store at the other side: of copies of several stores those of this one are meant. */
  readonly other?: string | undefined;
  /** It is only to be seen whether the store serves now: what does not answer within seconds does not. */
  readonly brief?: true | undefined;
  readonly signal: AbortSignal;
}

/** A pair that the environment names. */
export interface PairCandidate {
  readonly primary: Location;
  readonly copy: Location;
  /** The copy's database was made up from the primary's name: no argument names it. */
  readonly derived: boolean;
  readonly warnings: readonly string[];
}

/** A kind of pair that the environment can name. */
export interface PairKind {
  readonly commands: readonly PairCommand[];
  /** What it needs: for each of its parts the variable, then its aliases. */
  readonly variables: readonly (readonly [string, ...string[]])[];
  /**
   * The pair, where all its variables are set. Fails with `usage` when one of them cannot be right. `others` are the pairs
   * that were found before.
   */
  find(environment: Environment, others: readonly PairCandidate[]): PairCandidate | undefined;
  /** See `PrimaryStore.lacking`. */
  lacking?: PrimaryStore<Location>["lacking"];
}

/**
 * A store that is somebody's primary and has its copy in a store of another kind: see `Connector.copies`. That store may hold
 * other things, too: to a comparison they are no difference.
 */
export interface PrimaryStore<L extends Location> {
  /** In a sentence: "the Supabase store". */
  readonly name: string;
  /** The command that brings its copy up to date. */
  readonly copiedBy: PairCommand;
  /** The same with flags, where it also writes to the store what the copy has and the store has not. */
  readonly refilledBy?: string;
  readonly commands: readonly PairCommand[];
  readonly variables: readonly (readonly [string, ...string[]])[];
  isSet(environment: Environment): boolean;
  /** Of an environment that names no such store: why what is set there does not do, as a clause; undefined: nothing is set. */
  lacking?(environment: Environment): string | undefined;
  locate(environment: Environment): ParsedLocation<L>;
}

/** Where the copies of primaries of other kinds are. */
export interface CopyStore<L extends Location> {
  readonly variable: string;
  /** A value of the variable, for messages. */
  readonly example: string;
  /** How another such store is written for --from and --to: "env:NAME". */
  readonly form: string;
  locate(environment: Environment): L;
}

/** How a place that keeps several copies is used. */
export interface KeptAs {
  /** The last copy that was begun before. */
  readonly at?: Date | undefined;
  readonly compressed?: true | undefined;
}

export interface Connector<L extends Location = Location> {
  /** Its name: `kind` of its locations, and how it is written for --from and --to where its variables are set. */
  readonly kind: string;
  readonly words: StoreWords;
  /** What each verb may use such a store for. */
  readonly serves: Readonly<Partial<Record<StoreCommand, readonly StoreRole[]>>>;
  /** Its collections have options and indexes to copy and compare. */
  readonly hasMetadata: boolean;
  /** Names of collections in its stores → names that applications give to their copies elsewhere, without being asked to. */
  readonly usualRenames?: ReadonlyMap<string, string>;
  /** What the names of its environment variables begin with: problems with the lines of an .env file that set them are said. */
  readonly variablePrefixes: readonly string[];
  /** How people write such a location: "kv", "file:DIR". */
  readonly forms: readonly string[];
  readonly primary?: PrimaryStore<L>;
  /** Such a store holds the copies of primaries of other kinds, where this variable is set. */
  readonly copies?: CopyStore<L>;
  readonly pairs?: readonly PairKind[];
  /** Undefined: the text is no location of this kind. `flag` is its name in messages. Fails with `usage`. */
  parse(text: string, flag: string, environment: Environment): ParsedLocation<L> | undefined;
  /** What a text that is no location probably meant to be, as a sentence. */
  advise?(text: string, environment: Environment): string | undefined;
  /** Everything in a location that must never be shown. */
  secrets(location: L): readonly string[];
  /** Whether both lead to one store, by their addresses; only the servers know whether two names lead to one server. */
  isSame(left: L, right: L): boolean;
  place(location: L): StorePlace;
  /** Why such a store can have no collection of that name, in words that follow it; undefined: it can. Absent: it takes every name. */
  nameProblem?(name: string): string | undefined;
  /**
   * The same environment, where the names of such a store's variables begin with a prefix. `flag` is where that was written. Fails with
   * `usage`. Absent: they have no other names.
   */
  withPrefix?(environment: Environment, prefix: string, flag: string): Environment;
  /** It keeps what any store gives, as it is: `duplicate` writes to it whatever the source. */
  readonly keepsAll?: true;
  /** The same place, where an earlier copy that it keeps is meant, or a new one is to be compressed. */
  refine?(location: L, how: KeptAs): L;
  /** Absent where there is no way to open one yet: then nothing offers such a store. Loads the driver. */
  open?(location: L, options: OpenOptions): Promise<Store>;
  /** The conditions of --filter by collection, from values such as `orders={…}`. Absent: documents cannot be chosen so. Fails with `usage`. */
  readFilters?(values: readonly string[]): Promise<ReadonlyMap<string, Filter>>;
  /** How copies of such a store may lie in a store of another kind; absent: as its collections do. */
  layouts?(): Promise<CopyLayouts>;
  /** Every sentence that a fault of such a store can end with, by its name. */
  failures?(): Promise<Readonly<Record<string, Failure>>>;
}
