import type { Failure } from "../../failure.ts";

const AGAIN = "What was done is kept; run the same command again to resume.";
const SPACE =
  "Free space, or choose a larger plan or another target. Then run the same command again to resume.";

/** What a server says when it cannot or will not do what it is asked. Names are stable. */
export const SERVER_FAILURES = {
  authentication: {
    exit: "denied",
    says: "Authentication failed at {where}.",
    means: "The user name or the password is wrong, or the user is defined in another database.",
    hint: "Check the user name, the password (percent-encoded) and authSource in the URI; often it is authSource=admin.",
  },
  "no-credentials": {
    exit: "denied",
    says: "{Where} requires a user name and a password.",
    means: "The server checks credentials, and the URI has none.",
    hint: "Add them to the URI, percent-encoded: mongodb://user:password@host/database.",
  },
  "right-source": {
    exit: "denied",
    says: "The user is not authorized to {doing} at {where}.",
    means: "The source's user may not read what is needed.",
    hint: "Give the source's user the role read on this database.",
    ofOneCollection: true,
  },
  "right-target": {
    exit: "denied",
    says: "The user is not authorized to {doing} at {where}.",
    means: "The target's user may not write there.",
    hint: "Give the target's user the role readWrite on this database; validators also need collMod (role dbAdmin).",
    ofOneCollection: true,
  },
  "database-spelling": {
    exit: "refused",
    says: "{Where} is there in other letters{detail}: a server has no two databases whose names differ only in upper and lower case.",
    means: "The name is written in capitals where the database has small letters, or the other way round.",
    hint: "Nothing was changed. Write the name as it is there (--from, --to, or the variable), or choose another.",
  },
  "quota-space": {
    exit: "role",
    reason: "quota",
    says: "The cluster of {where} is full{detail}.",
    means: "A free or small plan limits the storage (Atlas counts documents and indexes, uncompressed).",
    hint: SPACE,
  },
  "quota-collections": {
    exit: "role",
    reason: "quota",
    says: "The cluster of {where} accepts no more collections{detail}.",
    means: "A free or small plan limits the number of collections in all databases of the cluster together.",
    hint: "Drop collections that are not needed, copy fewer with --include, or choose a larger plan.",
  },
  "plan-command": {
    exit: "denied",
    says: "The cluster plan of {where} does not allow dualsync to {doing}.",
    means: "Free and small plans refuse some commands, whatever rights the user has.",
    hint: "Leave out what needs it, or choose a larger plan.",
    ofOneCollection: true,
  },
  "plan-refusal": {
    exit: "role",
    says: "The cloud service of {where} refused to {doing} (code 8000).",
    means: "The cluster's plan has a limit, or the user lacks a permission.",
    hint: "Check the cluster's page: is it full, is its plan a free one, may the user do this?",
    ofOneCollection: true,
  },
  disk: {
    exit: "role",
    says: "There is no space left at {where}.",
    means: "The server's disk is full.",
    hint: SPACE,
  },
  "server-old": {
    exit: "role",
    says: "The server of {where} is too old for this version of dualsync.",
    means: "The MongoDB driver in dualsync no longer supports this server version.",
    hint: "Update the server to MongoDB 4.4 or later.",
  },
  "server-new": {
    exit: "role",
    says: "The server of {where} is too new for this version of dualsync.",
    means: "The server no longer supports drivers of this age.",
    hint: "Update dualsync.",
  },
  "stepped-down": {
    exit: "role",
    says: "The primary of {where} stepped down, and no other took over.",
    means: "The replica set elected no new primary while dualsync kept trying.",
    hint: AGAIN,
    passes: true,
  },
  "shutting-down": {
    exit: "role",
    says: "The server of {where} is shutting down.",
    means: "It was stopped or is being restarted, and was not back while dualsync kept trying.",
    hint: AGAIN,
    passes: true,
  },
  "too-many-requests": {
    exit: "role",
    reason: "throttled",
    says: "{Where} accepts no more requests for now.",
    means: "The plan's limit of requests per second is used up, even after waiting.",
    hint: "Run the same command again later to resume, with a smaller --concurrency and --batch-size.",
    passes: true,
  },
  "no-connection-free": {
    exit: "role",
    says: "No connection to {where} became free in time.",
    means: "All connections are busy, and the URI allows only a short wait (waitQueueTimeoutMS).",
    hint: "Remove waitQueueTimeoutMS from the URI, or lower --concurrency.",
    passes: true,
  },
  late: {
    exit: "role",
    says: "{Where} did not answer in time when asked to {doing}.",
    means: "The server accepted the command and then sent nothing: it hangs, or the connection is cut.",
    hint: AGAIN,
    passes: true,
  },
  broken: {
    exit: "role",
    says: "The connection to {where} broke while trying to {doing}.",
    means: "The server, or something in between, closed the connection again and again.",
    hint: AGAIN,
    passes: true,
  },
  "not-understood": {
    exit: "role",
    says: "{Where} sent an answer that dualsync does not understand{detail}.",
    means: "The answer does not follow the MongoDB protocol.",
    hint: "Does something between this machine and the server change its answers?",
  },
  unknown: {
    exit: "role",
    says: "Could not {doing} at {where}: {detail}.",
    means: "A less common failure; the code is the server's.",
    hint: "Run the same command again. If it fails again, look for this code in the server's log.",
    ofOneCollection: true,
  },
} as const satisfies Record<string, Failure>;
