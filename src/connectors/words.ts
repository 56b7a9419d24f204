/** The words of a store for people: how its things are called, and what to do where they are not as expected. */
export interface StoreWords {
  /** With its article: "a MongoDB database". */
  readonly store: string;
  /** One of what holds its documents, and several. */
  readonly collection: string;
  readonly collections: string;
  /** What a collection holds, several of it: "rows". */
  readonly documents: string;
  /** What its documents are compared by, as the end of a sentence: "byte for byte". */
  readonly comparedBy: string;
  /** What to check where it holds nothing, as a sentence. */
  readonly whenEmpty: string;
  /** What is said of collections whose documents have no unique `_id`, before "that differ are dropped"; absent without any. */
  readonly sequences?: string;
  /** What undoing a run leaves as the run made it. */
  readonly notUndone: string;
  /** What is said of a collection that may look empty because it is hidden; absent where none can be. */
  readonly hidden?: HiddenWords;
  /** What is said where documents are made from something else; absent where they are what the store holds. */
  readonly mapped?: MappedWords;
}

export interface HiddenWords {
  /** What a collection does that shows nothing, and why that proves nothing: two clauses. */
  readonly givesNothing: string;
  readonly whyEmpty: string;
  /** Where to look, as a sentence. */
  readonly look: string;
  /** Before and after the names of collections that show nothing. */
  readonly seesNothing: string;
  readonly ifNotSo: string;
  /** Why one that was copied before may no longer be listed. */
  readonly gone: string;
  /** What to do so that a collection is listed, as a sentence. */
  readonly unlisted: string;
}

export interface MappedWords {
  /** What two documents may differ in and say the same. */
  readonly equivalents: string;
  /** What may give a document other values than it was given, as a question. */
  readonly alters: string;
}
