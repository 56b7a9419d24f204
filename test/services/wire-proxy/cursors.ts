import type { Document } from "mongodb";
import { elements } from "../wire/bson-walk.js";
import { serverErrors } from "./faults/errors.ts";
import type { WireRequest } from "./request.ts";

const OPENING = new Set(["find", "aggregate", "listCollections", "listIndexes"]);
/** "Not created in a session", "created in a session", "created in another session", as each of them numbers it. */
const CODES = { "replica-set": [50736, 50737, 50738], router: [50799, 50800, 50801] } as const;

/**
 * The cursors that were opened through one proxy, each with the session that it belongs to. A getMore has to come in
 * that session. killCursors may come in any: servers ask for the user there, not for the session. A router knows no
 * other cursors than those that it opened itself.
 */
export class CursorLedger {
  /** Session by cursor, as the hex of its lsid; "" for none. */
  readonly #sessions = new Map<bigint, string>();
  readonly #face: keyof typeof CODES;

  constructor(face: keyof typeof CODES) {
    this.#face = face;
  }

  /** How this command is refused before it comes to the engine; undefined when it is not. */
  refusal(request: WireRequest): Document | undefined {
    if (request.name === "getMore") return this.#refusedGetMore(request);
    if (request.name !== "killCursors" || this.#face !== "router") return undefined;
    const cursors = killed(request);
    if (cursors.some((cursor) => this.#sessions.has(cursor))) return undefined;
    const none = { cursorsKilled: [], cursorsAlive: [], cursorsUnknown: [] };
    return { ...none, cursorsNotFound: cursors, ok: 1 };
  }

  /** Remembers a cursor that an answer left open. `session`: of the command. */
  learn(request: WireRequest, session: string, cursor: bigint | undefined): void {
    if (OPENING.has(request.name) && cursor !== undefined && cursor !== 0n) {
      this.#sessions.set(cursor, session);
    }
  }

  #refusedGetMore(request: WireRequest): Document | undefined {
    const cursor = request.value("getMore")?.readBigInt64LE(0) ?? 0n;
    const owner = this.#sessions.get(cursor);
    if (owner === undefined) {
      const unknown = { ...serverErrors.cursorNotFound, errmsg: `cursor id ${cursor} not found`, ok: 0 };
      return this.#face === "router" ? unknown : undefined; // else the engine says so itself
    }
    const session = sessionOf(request);
    if (session === owner) return undefined;
    const kind = owner === "" ? 0 : session === "" ? 1 : 2;
    const code = CODES[this.#face][kind];
    const created =
      owner === "" ? "which was not created in a session" : `which was created in session ${owner}`;
    const comes = session === "" ? "without an lsid" : `in session ${session}`;
    const errmsg = `Cannot run getMore on cursor ${cursor}, ${created}, ${comes}`;
    return { ok: 0, errmsg, code, codeName: `Location${code}` };
  }
}

/** The session of a command, as it can be compared; "" for none. */
export function sessionOf(request: WireRequest): string {
  return request.value("lsid")?.toString("hex") ?? "";
}

function killed(request: WireRequest): bigint[] {
  const cursors = request.field("cursors");
  if (cursors === undefined) return [];
  return Array.from(elements(request.bytes, cursors.start), ({ start }) =>
    request.bytes.readBigInt64LE(start),
  );
}
