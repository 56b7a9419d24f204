// Shows dualsync at work on real engines that live as long as this script: `npm run demo`.
import { startMongodb } from "../test/services/mongodb/mongodb.ts";
import { showArchive } from "./archive.ts";
import { showOrders } from "./orders.ts";
import { showSkinvault } from "./skinvault.ts";
import { say, stop } from "./stage.ts";
import { showStorefront } from "./storefront.ts";

process.once("SIGINT", () => stop.abort());
process.once("SIGTERM", () => stop.abort());
process.exitCode = await main();

async function main(): Promise<number> {
  say("Starting two MongoDB engines: one for a shop, one for copies …");
  const shop = await startMongodb();
  try {
    const backup = await startMongodb();
    try {
      const status =
        (await showOrders(shop, backup)) ||
        (await showArchive(shop, "ordersDB")) ||
        (await showStorefront(backup)) ||
        (await showSkinvault(backup));
      if (status === 0) sayGoodbye();
      return status;
    } finally {
      await backup.stop();
    }
  } finally {
    await shop.stop();
  }
}

function sayGoodbye(): void {
  say("That was a demo; all engines and their data are removed now. With your own databases:");
  console.log('  export LIVE="mongodb://user:password@host/shop"');
  console.log('  export COPY="mongodb://user:password@other-host/shop"');
  console.log("  npx dualsync duplicate --from env:LIVE --to env:COPY --dry-run");
  console.log("  npx dualsync duplicate --from env:LIVE --to env:COPY");
  console.log("\nor, with NEXT_PUBLIC_SUPABASE_URL, SUPABASE_SERVICE_ROLE_KEY and MONGODB_URI set:");
  console.log("  npx dualsync backfill --dry-run");
  console.log("\nor, with KV_REST_API_URL, KV_REST_API_TOKEN and MONGODB_URI set:");
  console.log("  npx dualsync sync-kv --dry-run\n");
}
