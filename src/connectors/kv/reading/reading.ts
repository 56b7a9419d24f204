/** A KV store that is read: what was learnt of the service, and what of its keys is not read exactly. One for each opened store. */
import { DualsyncError } from "../../../model/errors.ts";
import type { StoreRole } from "../../connector.ts";
import { type KvClient, KvRefusal, type KvReply } from "../api/commands.ts";
import { Scripts } from "../scripts/scripts.ts";
import { AnswerSize } from "./answer-size.ts";
import { Expiries } from "./expiries.ts";
import { InexactKeys } from "./inexact-keys.ts";

export interface KvReading {
  readonly client: KvClient;
  readonly role: StoreRole;
  readonly scripts: Scripts;
  readonly expiries: Expiries;
  readonly inexact: InexactKeys;
  /** Of strings, and of everything else. */
  readonly sizes: { readonly strings: AnswerSize; readonly others: AnswerSize };
  /** The service tells types while it lists keys; undefined: it was not asked yet. */
  tellsTypes: boolean | undefined;
  /** The error for a refusal, or an answer, that nothing else is to be made of. */
  unexpected(doing: string, reply: KvReply | KvRefusal | undefined): DualsyncError;
}

/** As long as nothing was read, strings are taken for short ones, and all else for large ones. */
const STRING_BYTES = 2_000;
const OTHER_BYTES = 1_000_000;

export function openReading(client: KvClient, role: StoreRole): KvReading {
  return {
    client,
    role,
    scripts: new Scripts(client),
    expiries: new Expiries(client),
    inexact: new InexactKeys(),
    sizes: { strings: new AnswerSize(STRING_BYTES), others: new AnswerSize(OTHER_BYTES) },
    tellsTypes: undefined,
    unexpected(doing, reply) {
      const code = reply instanceof KvRefusal ? ` (${reply.code})` : "";
      const what = reply instanceof KvRefusal ? "refused to" : "did not answer as expected when asked to";
      return new DualsyncError(role, `The ${role} ${client.label} ${what} ${doing}${code}.`, {
        hint: "Is it a store of Upstash or Vercel KV? Run the same command again; if it ends so again, report it.",
      });
    },
  };
}
