import type { Location } from "../connector.ts";

/** An archive: a folder that dualsync wrote or will write, or what mongodump has written. */
export interface FileLocation extends Location {
  readonly kind: "file";
  /** Absolute; of what mongodump has written it may also be a file, or one database of several in a folder or file. */
  readonly directory: string;
  readonly reference: string;
  /** Of several copies the last one that was begun before. */
  readonly at?: Date | undefined;
  /** What is written there is compressed. */
  readonly compressed?: true | undefined;
}
