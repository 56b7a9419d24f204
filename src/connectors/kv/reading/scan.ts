import { SeenIds } from "../../../model/seen-ids.ts";
import { type KvCommand, KvRefusal, type KvReply } from "../api/commands.ts";
import { isOwnKey } from "../control/own-keys.ts";
import type { KeyToRead } from "./entries.ts";
import type { KvReading } from "./reading.ts";
import { bytesIn, listIn, textIn } from "./value-commands.ts";

const DOING = "list keys";

/** How many keys a page should have; fewer where their names are long. */
const PAGE = 1000;

/**
 * All keys but dualsync's own, each once, page by page; pages may be empty. A key that is there from the first page to the last is among
 * them. Where the service tells their types, these come with them for nothing.
 */
export async function* scanKeys(
  reading: KvReading,
  signal: AbortSignal,
): AsyncGenerator<readonly KeyToRead[]> {
  const seen = new SeenIds();
  let cursor: Uint8Array = Buffer.from("0");
  do {
    const page = await nextPage(reading, cursor, signal);
    cursor = page.cursor;
    // Servers give keys twice while their tables grow.
    yield page.keys.filter(({ key }) => !isOwnKey(key) && seen.add(Buffer.from(key).toString("latin1")));
  } while (textIn(cursor) !== "0");
}

interface Page {
  /** Not a number: services make of it what they like. */
  readonly cursor: Uint8Array;
  readonly keys: readonly KeyToRead[];
}

async function nextPage(reading: KvReading, cursor: Uint8Array, signal: AbortSignal): Promise<Page> {
  let count = PAGE;
  for (;;) {
    const withTypes = reading.tellsTypes !== false;
    const command: KvCommand = ["SCAN", cursor, "COUNT", count, ...(withTypes ? ["WITHTYPE"] : [])];
    const [reply] = await reading.client.run([command], { signal, doing: DOING, repeatable: true });
    const code = reply instanceof KvRefusal ? reply.code : undefined;
    if (code === "TOOLARGE" && count > 1) count = Math.ceil(count / 4);
    // Only some services have it.
    else if (code !== undefined && reading.tellsTypes === undefined) reading.tellsTypes = false;
    else if (reply === undefined || reply instanceof KvRefusal) throw reading.unexpected(DOING, reply);
    else {
      const page = pageOf(reading, reply, withTypes);
      reading.tellsTypes = withTypes;
      return page;
    }
  }
}

function pageOf(reading: KvReading, reply: KvReply, withTypes: boolean): Page {
  try {
    const [cursor = null, found = null] = listIn(reply);
    const list = listIn(found);
    const width = withTypes ? 2 : 1;
    const keys: KeyToRead[] = [];
    for (let at = 0; at < list.length; at += width)
      keys.push({
        key: bytesIn(list[at] ?? null),
        type: withTypes ? textIn(list[at + 1] ?? null) : undefined,
      });
    return { cursor: bytesIn(cursor), keys };
  } catch (error) {
    if (error instanceof RangeError) throw reading.unexpected(DOING, undefined);
    throw error;
  }
}
