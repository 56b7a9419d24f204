import { BSON, type Document, ObjectId, UUID } from "mongodb";
import { withClusterTime } from "../wire/cluster-time.js";
import { releaseOf, tooYoung } from "./age.ts";
import { hasBuckets, listBuckets } from "./buckets.ts";
import { CursorLedger, sessionOf } from "./cursors.ts";
import { serverErrors } from "./faults/errors.ts";
import type { WireReply } from "./reply.ts";
import type { WireRequest } from "./request.ts";

/** What clients take the server for. */
export type FaceName = "standalone" | "replica-set" | "router";

export interface FaceOptions {
  /** Default: "standalone". */
  readonly face?: FaceName;
  /** The largest wire version that it announces, such as 9 for MongoDB 4.4; it refuses some of what is younger. */
  readonly wireVersion?: number;
  /** Refuse `getLog`, as free clusters of Atlas do. */
  readonly refuseGetLog?: boolean;
  /** `refuse`: every user's password is wrong. */
  readonly auth?: { readonly refuse: true };
}

export const REPLICA_SET = "rs0";
const SESSION_MINUTES = 30;
/** The engine knows no sessions, and ends its process at some of these. */
const SESSION_COMMANDS =
  /^(startSession|refreshSessions|endSessions|killSessions|killAllSessions|killAllSessionsByPattern)$/;
/** Fields that only a server with sessions takes. */
const OF_SESSIONS = ["lsid", "txnNumber", "$clusterTime"];
/** The engine has no users. */
const OF_USERS = ["speculativeAuthenticate", "saslSupportedMechs"];
const EMPTY = Buffer.from([5, 0, 0, 0, 0]);

/** Makes one server look like another: answers what the engine cannot, and changes what the engine says of itself. */
export class Face {
  readonly strips: readonly string[];
  readonly #options: FaceOptions;
  readonly #name: FaceName;
  readonly #host: string;
  readonly #cursors: CursorLedger | undefined;
  #primary = true;
  #elections = 1;

  constructor(host: string, options: FaceOptions) {
    this.#options = options;
    this.#host = host;
    this.#name = options.face ?? "standalone";
    this.#cursors = this.#name === "standalone" ? undefined : new CursorLedger(this.#name);
    this.strips = this.#cursors === undefined ? OF_USERS : [...OF_SESSIONS, ...OF_USERS];
  }

  get uri(): string {
    const options = {
      standalone: "directConnection=true",
      "replica-set": `replicaSet=${REPLICA_SET}`,
      router: "",
    };
    return `mongodb://${this.#host}/?${options[this.#name]}`;
  }

  stepDown(): void {
    if (this.#name !== "replica-set") throw new Error("only the primary of a replica set can step down");
    this.#primary = false;
  }

  stepUp(): void {
    if (!this.#primary) this.#elections++;
    this.#primary = true;
  }

  /** The answer to a command that does not come to the engine. */
  answer(request: WireRequest): Document | undefined {
    if (request.name === "getLog" && this.#options.refuseGetLog === true)
      return { ok: 0, ...serverErrors.freeTier };
    if (request.name === "saslStart" && this.#options.auth?.refuse === true)
      return { ok: 0, ...serverErrors.wrongPassword };
    if (this.#cursors !== undefined && SESSION_COMMANDS.test(request.name)) return sessionAnswer(request);
    if (!this.#primary && request.name !== "hello") return { ok: 0, ...serverErrors.stepDown };
    const { wireVersion } = this.#options;
    const refused = wireVersion === undefined ? undefined : tooYoung(request, wireVersion);
    return refused ?? this.#cursors?.refusal(request);
  }

  /** What is to be remembered of a command until its answer comes. */
  session(request: WireRequest): string {
    return this.#cursors === undefined ? "" : sessionOf(request);
  }

  /** Changes the engine's answer, and remembers the cursor in it. */
  dress(request: WireRequest, session: string, reply: WireReply): void {
    this.#cursors?.learn(request, session, reply.cursor());
    const { wireVersion } = this.#options;
    if (request.name === "hello" && reply.has("maxWireVersion")) reply.replace(this.#hello(reply.decoded()));
    if (hasBuckets(request, wireVersion)) listBuckets(request, reply);
    if (request.name === "buildInfo" && wireVersion !== undefined)
      reply.set({ version: releaseOf(wireVersion) });
  }

  /** Adds what is in every answer. */
  stamp(reply: WireReply): void {
    if (this.#cursors === undefined || reply.has("$clusterTime")) return;
    const { $clusterTime } = BSON.deserialize(withClusterTime(EMPTY));
    reply.set({ $clusterTime, operationTime: $clusterTime.clusterTime });
  }

  #hello(engine: Document): Document {
    // Without a topologyVersion clients ask now and then, and do not wait for a change.
    const { topologyVersion: _, ...hello } = engine;
    const { wireVersion } = this.#options;
    if (wireVersion !== undefined) hello.maxWireVersion = wireVersion;
    if (this.#name === "standalone") return hello;
    hello.logicalSessionTimeoutMinutes = SESSION_MINUTES;
    if (this.#name === "router") return { ...hello, msg: "isdbgrid" };
    return { ...hello, ...this.#member() };
  }

  #member(): Document {
    const me = this.#host;
    const member = { setName: REPLICA_SET, setVersion: 1, hosts: [me], me, secondary: !this.#primary };
    const primary = { isWritablePrimary: this.#primary, ismaster: this.#primary };
    if (!this.#primary) return { ...member, ...primary };
    const electionId = new ObjectId(`7fffffff${this.#elections.toString(16).padStart(16, "0")}`);
    return { ...member, ...primary, primary: me, electionId };
  }
}

function sessionAnswer(request: WireRequest): Document {
  if (request.name !== "startSession") return { ok: 1 };
  return { id: { id: new UUID() }, timeoutMinutes: SESSION_MINUTES, ok: 1 };
}
