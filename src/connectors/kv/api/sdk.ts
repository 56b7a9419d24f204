/**
 * The SDK's pipeline, over a requester of ours. Of the SDK's own transport nothing is used: it repeats what must not be repeated,
 * does not heed what a server asks to wait, makes text of bytes, and shows values in its errors. Its methods for single commands are not
 * used either: they turn texts into numbers and objects.
 */
import type { Requester } from "@upstash/redis";
import type { KvItem } from "./answer.ts";
import type { TextCommand } from "./binary.ts";

/** Where a request goes. */
export type KvPath = "pipeline" | "multi-exec";

export type Post = (path: KvPath, commands: readonly TextCommand[]) => Promise<readonly KvItem[]>;

/** What all its methods for commands call; its types do not show it. */
interface Chain {
  chain(command: {
    readonly command: TextCommand;
    readonly deserialize: (result: unknown) => unknown;
  }): unknown;
}

/** One item a command, as `post` gave it. */
export async function throughSdk(
  commands: readonly TextCommand[],
  atomic: boolean,
  post: Post,
): Promise<readonly KvItem[]> {
  const { Redis } = await import("@upstash/redis");
  const requester = {
    request: ({ path, body }) => post(path?.[0] as KvPath, body as TextCommand[]) as Promise<never>,
  } satisfies Requester;
  const redis = new Redis(requester);
  const pipeline = atomic ? redis.multi() : redis.pipeline();
  for (const command of commands)
    (pipeline as unknown as Chain).chain({ command, deserialize: (result) => result });
  const items: readonly { readonly error?: string; readonly result?: unknown }[] = await pipeline.exec({
    keepErrors: true,
  });
  return items.map(({ error, result }) =>
    error === undefined ? ({ result } as KvItem) : ({ error } as KvItem),
  );
}
