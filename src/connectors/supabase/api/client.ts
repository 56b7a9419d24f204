import type { SupabaseClient } from "@supabase/supabase-js";

/** The realtime part is built with every client and wants a WebSocket class, which Node 20 lacks; nothing uses it. */
class NoRealtime {
  constructor() {
    throw new Error("realtime is not used");
  }
}

/** A client of the SDK that sends through the given transport only and keeps no session. */
export async function createSupabase(
  url: string,
  key: string,
  schema: string,
  fetch: typeof globalThis.fetch,
): Promise<SupabaseClient> {
  const unmuted = muteNotices();
  try {
    const { createClient } = await import("@supabase/supabase-js");
    const client = createClient(url, key, {
      db: { schema },
      auth: { persistSession: false, autoRefreshToken: false, detectSessionInUrl: false },
      realtime: { transport: NoRealtime as never },
      global: { fetch },
    });
    return client as unknown as SupabaseClient;
  } finally {
    unmuted();
  }
}

/** Newer versions warn on import, in the middle of a report, that they will not support this Node for ever. */
function muteNotices(): () => void {
  const { console } = globalThis;
  const warn = console.warn;
  const muted = (...words: unknown[]): void => {
    if (!/supabase/i.test(String(words[0]))) warn.apply(console, words);
  };
  console.warn = muted;
  return () => {
    if (console.warn === muted) console.warn = warn;
  };
}
