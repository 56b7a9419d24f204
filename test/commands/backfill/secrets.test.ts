import { expect, it } from "vitest";
import { withDatabase } from "../../services/mongodb/mongodb.ts";
import { redirect } from "../../services/postgrest/answer/answers.ts";
import type { Effect, Fault } from "../../services/postgrest/faults.ts";
import { fillStorefront } from "../../shops/storefront.ts";
import { runWatched } from "../../support/canary.ts";
import { projectPair } from "../../support/stores/project-pair.ts";

/** The service key, and row values in the refusals of a project, are never printed. */
const pair = projectPair();
const VALUE = "zoe.canary@storefront.example";

/** A refusal that repeats what it was sent, and values of rows. */
function talkative(status: number, code: string): Effect {
  const { serviceKey } = pair.project;
  const words = `Key (email)=(${VALUE}) of "${serviceKey}" apikey: ${serviceKey}`;
  const headers = {
    "Content-Type": "application/json",
    "Proxy-Status": `PostgREST; error=${code}`,
    "X-Note": VALUE,
  };
  const body = JSON.stringify({ code, message: words, details: words, hint: words });
  return { answer: { status, headers, body } };
}

const cases: ReadonlyArray<readonly [string, number, () => Fault | undefined]> = [
  ["all goes well", 0, () => undefined],
  ["a value is refused", 3, () => ({ on: "/customers", ...talkative(400, "22P02") })],
  ["the key is refused", 8, () => ({ on: "/customers", ...talkative(401, "PGRST301") })],
  ["a code is malformed", 3, () => ({ on: "/customers", ...talkative(418, `${VALUE}`) })],
  ["the list is refused", 8, () => ({ on: "/", ...talkative(401, "42501") })],
  [
    "a page is not rows",
    4,
    () => ({
      on: ({ target }) => target.includes("order="),
      answer: {
        status: 200,
        headers: { "Content-Type": "application/json" },
        body: `[{"id":"${VALUE}","${VALUE}":"${pair.project.serviceKey}"}]`,
      },
    }),
  ],
  [
    "it is redirected",
    4,
    () => ({ on: "/", answer: redirect(`http://${pair.project.serviceKey}.example/?email=${VALUE}`) }),
  ],
];

it.each(cases)("neither the key nor a row's value is shown when %s", async (_, status, faultOf) => {
  await fillStorefront(pair.project.query, { customers: 5 });
  await pair.project.query(`update customers set email = '${VALUE}' where email like 'customer3@%'`);
  await pair.project.reload();
  const fault = faultOf();
  if (fault !== undefined) pair.fail(fault);
  const { url, serviceKey } = pair.project;
  const env = {
    NEXT_PUBLIC_SUPABASE_URL: url,
    SUPABASE_SERVICE_ROLE_KEY: serviceKey,
    MONGODB_URI: withDatabase(pair.mongodb.uri, pair.database),
    SYNC_MAX_RETRIES: "0",
  };
  for (const flag of fault === undefined ? ["--json", "--verbose"] : ["--verbose"]) {
    const { code, left } = await runWatched(["backfill", flag], serviceKey, { env });
    expect(code, left).toBe(status);
    expect(left).not.toContain(VALUE);
    expect(left).not.toContain("zoe.canary");
  }
});
