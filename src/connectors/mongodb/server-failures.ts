import type { Failure } from "../failure.ts";

const AGAIN = "What was done stays; run the same command again: it goes on.";
const SPACE =
  "Free space or choose a larger plan or another target, then run the same command again: it goes on.";

/** What a server says when it cannot or will not do what it is asked. Names are stable. */
export const SERVER_FAILURES = {
  authentication: {
    exit: "denied",
    says: "Authentication failed at {where}.",
    means: "The user name or the password is wrong, or the user is defined in another database.",
    hint: "Check the user name, the password (percent-encoded) and the authSource in the URI, often authSource=admin.",
  },
  "no-credentials": {
    exit: "denied",
    says: "{Where} wants a user name and a password.",
    means: "The server checks who asks, and the URI names nobody.",
    hint: "Write them into the URI: mongodb://user:password@host/database, percent-encoded.",
  },
  "right-source": {
    exit: "denied",
    says: "The user has no right to {doing} at {where}.",
    means: "The source's user may not read what is to be copied.",
    hint: "The source's user needs the role read on this database.",
  },
  "right-target": {
    exit: "denied",
    says: "The user has no right to {doing} at {where}.",
    means: "The target's user may not write there.",
    hint: "The target's user needs the role readWrite on this database; for validators also collMod (dbAdmin).",
  },
  "quota-space": {
    exit: "role",
    says: "The cluster of {where} is full{detail}.",
    means: "A free or small plan holds only so much (Atlas counts documents and indexes, uncompressed).",
    hint: SPACE,
  },
  "quota-collections": {
    exit: "role",
    says: "The cluster of {where} takes no more collections{detail}.",
    means: "A free or small plan holds only so many collections in all its databases.",
    hint: "Drop what is not needed, copy fewer with --include, or choose a larger plan.",
  },
  "plan-command": {
    exit: "denied",
    says: "The plan of the cluster of {where} does not allow to {doing}.",
    means: "Free and small plans refuse some commands, whatever the user's rights.",
    hint: "Leave out what needs it, or choose a larger plan.",
  },
  "plan-refusal": {
    exit: "role",
    says: "The cloud service of {where} refused to {doing} (code 8000).",
    means: "A limit of the cluster's plan, or a right that the user lacks.",
    hint: "Look at the cluster's page: is it full, is the plan a free one, may the user do this?",
  },
  disk: {
    exit: "role",
    says: "There is no space left at {where}.",
    means: "The disk of the server is full.",
    hint: SPACE,
  },
  "server-old": {
    exit: "role",
    says: "The server of {where} is too old for this version of dualsync.",
    means: "The MongoDB driver in dualsync no longer speaks to this version of the server.",
    hint: "Update the server, at least to MongoDB 4.4.",
  },
  "server-new": {
    exit: "role",
    says: "The server of {where} is too new for this version of dualsync.",
    means: "The server no longer speaks to drivers of this age.",
    hint: "Update dualsync.",
  },
  "stepped-down": {
    exit: "role",
    says: "{Where} has not come back from a change of its primary.",
    means: "The primary stepped down, and no other took over while dualsync tried again.",
    hint: AGAIN,
    passes: true,
  },
  "shutting-down": {
    exit: "role",
    says: "The server of {where} is shutting down.",
    means: "It was stopped or is being restarted, and did not come back while dualsync tried again.",
    hint: AGAIN,
    passes: true,
  },
  "too-many-requests": {
    exit: "role",
    says: "{Where} takes no more requests for now.",
    means: "The plan's limit of requests a second is used up, also after waiting.",
    hint: "Run the same command again later, with a smaller --concurrency and --batch-size: it goes on.",
    passes: true,
  },
  "no-connection-free": {
    exit: "role",
    says: "No connection to {where} became free in time.",
    means: "All connections are busy, and the URI allows only a short wait (waitQueueTimeoutMS).",
    hint: "Take waitQueueTimeoutMS out of the URI, or lower --concurrency.",
    passes: true,
  },
  late: {
    exit: "role",
    says: "{Where} gave no answer in time when asked to {doing}.",
    means: "The server took the command and was silent: it hangs, or the way to it is cut.",
    hint: AGAIN,
    passes: true,
  },
  broken: {
    exit: "role",
    says: "The connection to {where} broke while trying to {doing}.",
    means: "The server, or something between, closed the connection again and again.",
    hint: AGAIN,
    passes: true,
  },
  "not-understood": {
    exit: "role",
    says: "{Where} gave an answer that cannot be understood{detail}.",
    means: "The answer is not what MongoDB's protocol says.",
    hint: "Is something between this machine and the server that changes its answers?",
  },
  unknown: {
    exit: "role",
    says: "Could not {doing} at {where}: {detail}.",
    means: "A rarer fault; the code is the server's.",
    hint: "Run the same command again; if it fails again, look into the server's log for this code.",
  },
} as const satisfies Record<string, Failure>;
