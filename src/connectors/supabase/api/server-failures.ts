import type { Failure } from "../../failure.ts";
import { AGAIN } from "../../http/http-failures.ts";

const KEY =
  "Set SUPABASE_SERVICE_ROLE_KEY to the secret key (sb_secret_…) or the service_role key from the project's settings page.";
const RELOAD = "if it is new, run in the SQL editor: notify pgrst, 'reload schema';";

/**
 * What a project says when it cannot or will not do what it is asked. Names are stable. Sentences and hints may also
 * hold `{table}`, `{schema}` and `{grants}`, statements of SQL.
 */
export const SERVER_FAILURES = {
  "too-many-requests": {
    exit: "role",
    reason: "throttled",
    says: "{Where} keeps refusing because of too many requests (HTTP 429).",
    means: "A rate limit is reached, and waiting as long as the project asked did not help.",
    hint: `${AGAIN} --rate slows it down.`,
    passes: true,
  },
  "database-down": {
    exit: "role",
    says: "The database of {where} is not available{detail}.",
    means: "It is starting, stopping, overloaded or out of connections, and stayed so.",
    hint: `Check the project's status page. ${AGAIN}`,
    passes: true,
  },
  "no-connection-free": {
    exit: "role",
    says: "{Where} has no database connection free{detail}.",
    means: "Other clients use all connections of the API's pool.",
    hint: `Run it when there is less load. ${AGAIN}`,
    passes: true,
  },
  gateway: {
    exit: "role",
    says: "The gateway of {where} cannot reach the project{detail}.",
    means: "The project is down, restarting or overloaded.",
    hint: `Check the project's status page. ${AGAIN}`,
    passes: true,
  },
  "gateway-late": {
    exit: "role",
    says: "{Where} took too long to {doing}{detail}.",
    means: "The gateway stopped waiting for the database, even for a few rows.",
    hint: `Run it when there is less load. ${AGAIN}`,
    passes: true,
  },
  paused: {
    exit: "role",
    reason: "paused",
    says: "{Where} is paused (HTTP 540).",
    means: "Supabase pauses free projects that are not used.",
    hint: "Restore the project on its dashboard, wait until it is up, and run the same command again.",
  },
  quota: {
    exit: "role",
    reason: "quota",
    says: "{Where} is blocked because of its quota or its bill (HTTP 402).",
    means: "The project used more than its plan includes, or a payment is overdue.",
    hint: "Check the billing page of the project's organisation, then run the same command again. Nothing was lost.",
  },
  "key-refused": {
    exit: "denied",
    says: "{Where} refuses the key{detail}.",
    means: "The key belongs to another project, was revoked or has expired, or legacy keys are disabled.",
    hint: KEY,
  },
  "key-anonymous": {
    exit: "denied",
    reason: "hidden",
    says: "{Where} treats the key as anonymous{detail}; row-level security hides rows from it.",
    means: "The key is a public one, or the gateway does not pass it on.",
    hint: KEY,
  },
  "grant-read": {
    exit: "denied",
    says: "The role service_role may not {doing} at {where}: the right to read is not granted{detail}.",
    means: "New tables are not granted to the API's roles automatically, and this grant is missing.",
    hint: "Run in the project's SQL editor: {grants}",
    ofOneCollection: true,
  },
  "grant-write": {
    exit: "denied",
    says: "The role service_role may not {doing} at {where}: the right to write is not granted{detail}.",
    means: "New tables are not granted to the API's roles automatically, and this grant is missing.",
    hint: "Run in the project's SQL editor: {grants}",
  },
  denied: {
    exit: "denied",
    says: "{Where} does not allow dualsync to {doing}{detail}.",
    means: "The gateway or the database refuses this key or this machine's address.",
    hint: "Check the key and the project's network restrictions.",
  },
  "list-refused": {
    exit: "denied",
    says: "{Where} does not show the list of its tables to this key{detail}.",
    means: "Only secret and service_role keys may read the API's description.",
    hint: KEY,
  },
  "list-disabled": {
    exit: "role",
    says: "{Where} does not publish the list of its tables{detail}.",
    means: "The API's description (openapi-mode) is switched off.",
    hint: "Switch it on: alter role authenticator set pgrst.openapi_mode = 'follow-privileges'; notify pgrst, 'reload config';",
  },
  "list-garbled": {
    exit: "role",
    says: "dualsync does not understand the list of tables of {where}.",
    means: "Something other than the API answers, or dualsync does not know this version of the API.",
    hint: "Check the project's address (https://name.supabase.co) and any proxy in between.",
  },
  "list-empty": {
    exit: "role",
    says: "The schema {schema} of {where} shows no table to the role service_role.",
    means:
      "New tables are not granted to the API's roles automatically. Without a grant they are not even listed.",
    hint: "If it has tables, run in the project's SQL editor: {grants}",
  },
  "schema-hidden": {
    exit: "role",
    reason: "hidden",
    says: "The schema {schema} is not exposed by {where}{detail}.",
    means: "The data API serves only the schemas that its settings name.",
    hint: "Add the schema to the exposed schemas in the project's API settings.",
  },
  "no-api": {
    exit: "role",
    says: "There is no data API at the address of {where}{detail}.",
    means: "The address is not a project's, has an extra path, or the data API is switched off.",
    hint: "Check the project's address (https://name.supabase.co), and that its data API is enabled.",
  },
  "no-table": {
    exit: "role",
    says: "The API of {where} does not know the table {table}{detail}.",
    means: "The exposed schema has no such table, or the API has not noticed it yet.",
    hint: `Check the name; ${RELOAD}`,
  },
  "no-function": {
    exit: "role",
    says: "{Where} has no function or operator to {doing}{detail}.",
    means: "The function is not installed, or a column's type cannot be compared or sorted.",
    hint: `Check it; ${RELOAD}`,
  },
  "no-column": {
    exit: "role",
    says: "The table {table} of {where} lacks a column that was requested{detail}.",
    means: "A column was renamed or dropped, or is so new that the API has not noticed it.",
    hint: `Compare the columns; ${RELOAD}`,
  },
  "no-unique": {
    exit: "role",
    says: "The table {table} of {where} has no unique index on the columns that identify its rows{detail}.",
    means: "Without one, the same row would be added again and again.",
    hint: "Give the table a primary key, or leave it out with --exclude.",
  },
  generated: {
    exit: "role",
    says: "The table {table} of {where} has a column that only the database may fill{detail}.",
    means: "A GENERATED ALWAYS column accepts no value over the API.",
    hint: "Make the identity GENERATED BY DEFAULT, or leave the table out with --exclude.",
  },
  "query-failed": {
    exit: "role",
    says: "{Where} refused to {doing}{detail}: the query fails in its database.",
    means:
      "A view, or a function, cast or policy behind the table, raises an error: a division by zero, a subquery that returns several rows, a text that is no number.",
    hint: "Run select * from it in the project's SQL editor to see the error, or leave it out with --exclude.",
  },
  twice: {
    exit: "role",
    says: "{Where} refused to {doing}: it would touch a row twice, or every row{detail}.",
    means: "Two rows of one batch have the same key, or the project forbids changes without a condition.",
    hint: "Nothing of this batch was written.",
  },
  "statement-long": {
    exit: "role",
    says: "The database of {where} took too long to {doing}{detail}.",
    means: "A statement reached the role's time limit.",
    hint: "Run it when there is less load, or raise the limit: alter role service_role set statement_timeout = '60s';",
    passes: true,
  },
  locked: {
    exit: "role",
    says: "A lock in {where} blocked the attempt to {doing}{detail}.",
    means: "Another transaction holds rows or the table for a long time.",
    hint: `Look for long transactions. ${AGAIN}`,
    passes: true,
  },
  conflict: {
    exit: "role",
    says: "Other transactions in {where} got in the way of the attempt to {doing}{detail}.",
    means: "Transactions wait for each other, or change the same rows, again and again.",
    hint: `Run it when there is less load. ${AGAIN}`,
    passes: true,
  },
  disk: {
    exit: "role",
    says: "There is no space left in the database of {where}{detail}.",
    means: "The project's disk is full.",
    hint: "Free space or choose a larger disk. Then run the same command again to resume.",
  },
  "read-only": {
    exit: "role",
    says: "The database of {where} is read-only{detail}.",
    means: "Supabase makes a database read-only when its disk is nearly full. A replica is always read-only.",
    hint: "Free space or choose a larger disk. Then run the same command again to resume.",
  },
  "parent-missing": {
    exit: "role",
    says: "{Where} refused to {doing}: a row refers to one that is missing, or another row refers to it{detail}.",
    means: "A foreign key does not allow it in this order.",
    hint: "Copy the table that it refers to as well.",
  },
  taken: {
    exit: "role",
    says: "{Where} refused to {doing}: a value that must be unique is taken by another row{detail}.",
    means: "The table has a unique constraint other than the primary key.",
    hint: "Compare the two rows; one of them must change or go.",
  },
  constraint: {
    exit: "role",
    says: "{Where} refused to {doing}: a row breaks a constraint of the table{detail}.",
    means: "It is a NOT NULL, CHECK or exclusion constraint.",
    hint: "Compare the table's constraints with the row.",
  },
  "value-refused": {
    exit: "role",
    says: "{Where} refused to {doing}: a value does not fit its column{detail}.",
    means: "The value is out of range, or is no valid text of the column's type.",
    hint: "Compare the column's type with the value.",
  },
  trigger: {
    exit: "role",
    says: "A trigger or function of {where} refused to {doing}{detail}.",
    means: "Code inside the database raised an error.",
    hint: "Check the table's triggers.",
  },
  "too-many-rows": {
    exit: "role",
    says: "{Where} found more rows than expected when trying to {doing}{detail}; none was changed.",
    means: "The condition matched more rows than it has keys.",
    hint: "Nothing needs fixing. Please report it.",
  },
  "server-old": {
    exit: "role",
    says: "{Where} cannot limit how many rows a change touches{detail}.",
    means: "Its PostgREST is older than version 13.",
    hint: "Upgrade the project's PostgREST.",
  },
  "body-refused": {
    exit: "role",
    says: "{Where} did not understand the data that was sent to {doing}{detail}.",
    means: "Something in between treated the rows as something other than JSON.",
    hint: "Is there a proxy in between? Nothing of this batch was written.",
  },
  "body-long": {
    exit: "role",
    says: "{Where} does not accept as much data at once as is needed to {doing}{detail}.",
    means: "A single row is larger than the gateway allows.",
    hint: "Leave the table out with --exclude, or make the row smaller.",
  },
  "address-long": {
    exit: "role",
    says: "The URL that is needed to {doing} is too long for {where}{detail}.",
    means: "Keys or column names are very long.",
    hint: "Leave the table out with --exclude.",
  },
  "refused-request": {
    exit: "role",
    says: "{Where} refused to {doing}{detail}.",
    means: "dualsync has no more specific advice for this answer.",
    hint: `Look the code up in PostgREST's list of errors. ${AGAIN}`,
  },
} as const satisfies Record<string, Failure>;
