/** An error as a server puts it into its answer. */
export interface ServerError {
  readonly code: number;
  readonly codeName: string;
  readonly errmsg: string;
  readonly errorLabels?: readonly string[];
}

const ofServer = (code: number, codeName: string, errmsg: string, ...errorLabels: string[]): ServerError => ({
  code,
  codeName,
  errmsg,
  ...(errorLabels.length === 0 ? {} : { errorLabels }),
});
const RETRYABLE = "RetryableWriteError";

/** What servers say when they refuse or fail, in their own words. */
export const serverErrors = {
  wrongPassword: ofServer(18, "AuthenticationFailed", "Authentication failed."),
  noRight: ofServer(13, "Unauthorized", "not authorized on shop to execute command"),
  freeTier: ofServer(8000, "AtlasError", "CMD_NOT_ALLOWED: getLog"),
  freeTierFull: ofServer(8000, "AtlasError", "you are over your space quota, using 513 MB of 512 MB"),
  diskFull: ofServer(14031, "OutOfDiskSpace", "No space left on device"),
  stepDown: ofServer(10107, "NotWritablePrimary", "not primary", RETRYABLE),
  shutdown: ofServer(91, "ShutdownInProgress", "The server is in quiesce mode and will shut down", RETRYABLE),
  interruptedAtShutdown: ofServer(11600, "InterruptedAtShutdown", "interrupted at shutdown", RETRYABLE),
  interrupted: ofServer(11601, "Interrupted", "operation was interrupted"),
  timeLimit: ofServer(50, "MaxTimeMSExpired", "operation exceeded time limit"),
  cursorNotFound: ofServer(43, "CursorNotFound", "cursor id not found"),
  cannotCreateIndex: ofServer(67, "CannotCreateIndex", "cannot create an index of this kind"),
  writeConcernTimeout: ofServer(64, "WriteConcernTimeout", "waiting for replication timed out"),
} as const;
