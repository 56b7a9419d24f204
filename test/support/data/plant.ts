import { RawClient } from "../../services/wire-proxy/raw-client.ts";

/** Documents in one message. */
const AT_ONCE = 500;

/** Inserts documents as exactly these bytes, past every driver, into the server at this port of this machine. */
export async function plant(
  port: number,
  database: string,
  collection: string,
  documents: readonly Uint8Array[],
): Promise<void> {
  const client = await RawClient.connect(port);
  try {
    for (let from = 0; from < documents.length; from += AT_ONCE) {
      const some = documents.slice(from, from + AT_ONCE);
      const answer = await client.run({ insert: collection, $db: database }, some);
      if (answer.ok !== 1 || answer.n !== some.length || answer.writeErrors !== undefined)
        throw new Error(`not planted: ${JSON.stringify(answer).slice(0, 500)}`);
    }
  } finally {
    client.close();
  }
}
