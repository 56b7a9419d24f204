/** A key of a KV store and what it holds, as bytes: nothing of it is taken for text before it is known to be text. */

/** A member of a sorted set and its score, which may be infinite and is never NaN. */
export type ScoredMember = readonly [member: Uint8Array, score: number];

/** Field and value, of a hash or of an entry of a stream. */
export type FieldValue = readonly [field: Uint8Array, value: Uint8Array];

export interface StreamEntry {
  /** `milliseconds-sequence`, as the server prints it. */
  readonly id: string;
  /** In their order; a field may come twice. */
  readonly fields: readonly FieldValue[];
}

export interface StreamContent {
  /** In the order of their ids. */
  readonly entries: readonly StreamEntry[];
  /** The greatest id that the stream has ever had: the next one is above it. */
  readonly lastId: string;
}

/** What a key holds. */
export type EntryValue =
  | { readonly type: "string"; readonly value: Uint8Array }
  /** A document of the JSON type: its text, UTF-8, as the server prints it. */
  | { readonly type: "json"; readonly value: Uint8Array }
  /** By the bytes of the fields, which differ. */
  | { readonly type: "hash"; readonly value: readonly FieldValue[] }
  | { readonly type: "list"; readonly value: readonly Uint8Array[] }
  /** By their bytes, which differ. */
  | { readonly type: "set"; readonly value: readonly Uint8Array[] }
  /** By score, then by the bytes of the members, which differ. */
  | { readonly type: "zset"; readonly value: readonly ScoredMember[] }
  | { readonly type: "stream"; readonly value: StreamContent };

export type EntryType = EntryValue["type"];

export interface Entry {
  readonly key: Uint8Array;
  readonly content: EntryValue;
  /** Milliseconds since 1970; undefined: it stays. */
  readonly expiresAt: number | undefined;
}
