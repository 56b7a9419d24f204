import type { Failure } from "../../failure.ts";

const AGAIN = "What was done stays; run the same command again: it goes on.";
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
    says: "{Where} goes on refusing for too many requests (HTTP 429).",
    means: "A limit on requests is reached; waiting as long as it asked did not help.",
    hint: `${AGAIN} --rate slows it down.`,
    passes: true,
  },
  "database-down": {
    exit: "role",
    says: "The database of {where} is not available{detail}.",
    means: "It is starting, stopping, out of connections or overloaded, and stayed so.",
    hint: `Look at the project's status page. ${AGAIN}`,
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
    hint: `Look at the project's status page. ${AGAIN}`,
    passes: true,
  },
  "gateway-late": {
    exit: "role",
    says: "{Where} took too long to {doing}{detail}.",
    means: "The gateway gave up waiting for the database, however few rows were asked for.",
    hint: `Run it when there is less load. ${AGAIN}`,
    passes: true,
  },
  paused: {
    exit: "role",
    says: "The project {where} is paused (HTTP 540).",
    means: "Free projects are paused when nobody uses them.",
    hint: "Restore the project on its dashboard, wait until it is up, and run the same command again.",
  },
  quota: {
    exit: "role",
    says: "{Where} is blocked for its quota or its bill (HTTP 402).",
    means: "The project used more than its plan has, or a payment is overdue.",
    hint: "See the billing page of the project's organisation. Nothing was lost; run the same command again after it.",
  },
  "key-refused": {
    exit: "denied",
    says: "{Where} refuses the key{detail}.",
    means: "The key is another project's, was revoked or has expired, or legacy keys are disabled.",
    hint: KEY,
  },
  "key-anonymous": {
    exit: "denied",
    says: "{Where} takes the key for an anonymous one{detail}, from which row security hides rows.",
    means: "The key is a public one, or the gateway does not pass it on.",
    hint: KEY,
  },
  "grant-read": {
    exit: "denied",
    says: "The API's role service_role may not {doing} at {where}{detail}.",
    means: "New tables are not granted to the API's roles by themselves, and a grant is missing.",
    hint: "Run in the project's SQL editor: {grants}",
    ofOneCollection: true,
  },
  "grant-write": {
    exit: "denied",
    says: "The API's role service_role may not {doing} at {where}{detail}.",
    means: "New tables are not granted to the API's roles by themselves, and a grant is missing.",
    hint: "Run in the project's SQL editor: {grants}",
  },
  denied: {
    exit: "denied",
    says: "{Where} does not allow to {doing}{detail}.",
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
    says: "{Where} does not give out the list of its tables{detail}.",
    means: "The API's description (openapi-mode) is switched off.",
    hint: "Switch it on: alter role authenticator set pgrst.openapi_mode = 'follow-privileges'; notify pgrst, 'reload config';",
  },
  "list-garbled": {
    exit: "role",
    says: "The list of tables of {where} is not understood.",
    means: "Something answers in the API's place, or the API is of a version that dualsync does not know.",
    hint: "Check the project's address (https://name.supabase.co) and any proxy in between.",
  },
  "list-empty": {
    exit: "role",
    says: "The schema {schema} of {where} shows no table to the role service_role.",
    means:
      "New tables are not granted to the API's roles by themselves; without a grant they are not even listed.",
    hint: "If it has tables, run in the project's SQL editor: {grants}",
  },
  "schema-hidden": {
    exit: "role",
    says: "The schema {schema} is not exposed by {where}{detail}.",
    means: "The data API serves only the schemas that its settings name.",
    hint: "Add the schema to the exposed schemas in the project's API settings.",
  },
  "no-api": {
    exit: "role",
    says: "There is no data API at the address of {where}{detail}.",
    means: "The address is not a project's, has a path too much, or the data API is switched off.",
    hint: "Check the project's address (https://name.supabase.co), and that its data API is enabled.",
  },
  "no-table": {
    exit: "role",
    says: "The API of {where} does not know the table {table}{detail}.",
    means: "There is no such table in the exposed schema, or the API has not noticed it yet.",
    hint: `Check the name; ${RELOAD}`,
  },
  "no-function": {
    exit: "role",
    says: "{Where} knows no function or operator that it needs to {doing}{detail}.",
    means: "The function is not installed, or a column's type cannot be compared or sorted.",
    hint: `Check it; ${RELOAD}`,
  },
  "no-column": {
    exit: "role",
    says: "The table {table} of {where} lacks a column that was asked for{detail}.",
    means: "A column was renamed or dropped, or is so new that the API has not noticed it.",
    hint: `Compare the columns; ${RELOAD}`,
  },
  "no-unique": {
    exit: "role",
    says: "The table {table} of {where} has no unique index on the columns that rows are told apart by{detail}.",
    means: "Without one the same row would be added again and again.",
    hint: "Give the table a primary key, or leave it out with --exclude.",
  },
  generated: {
    exit: "role",
    says: "The table {table} of {where} has a column that only the database may fill{detail}.",
    means: "A GENERATED ALWAYS column takes no value over the API.",
    hint: "Make the identity GENERATED BY DEFAULT, or leave the table out with --exclude.",
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
    means: "A statement ran into the role's time limit.",
    hint: "Run it when there is less load, or raise the limit: alter role service_role set statement_timeout = '60s';",
    passes: true,
  },
  locked: {
    exit: "role",
    says: "A lock kept {where} from what it was to do: {doing}{detail}.",
    means: "Another transaction holds rows or the table for long.",
    hint: `Look for long transactions. ${AGAIN}`,
    passes: true,
  },
  conflict: {
    exit: "role",
    says: "Other transactions kept {where} from what it was to do: {doing}{detail}.",
    means: "Transactions wait for each other, or change the same rows, again and again.",
    hint: `Run it when there is less load. ${AGAIN}`,
    passes: true,
  },
  disk: {
    exit: "role",
    says: "There is no space left in the database of {where}{detail}.",
    means: "The disk of the project is full.",
    hint: "Free space or choose a larger disk, then run the same command again: it goes on.",
  },
  "read-only": {
    exit: "role",
    says: "The database of {where} is read-only{detail}.",
    means: "Supabase makes a database read-only when its disk is nearly full; a replica always is.",
    hint: "Free space or choose a larger disk, then run the same command again: it goes on.",
  },
  "parent-missing": {
    exit: "role",
    says: "{Where} refused to {doing}: a row refers to one that is missing, or is referred to{detail}.",
    means: "A foreign key does not allow it in this order.",
    hint: "Copy the table that it refers to as well.",
  },
  taken: {
    exit: "role",
    says: "{Where} refused to {doing}: a value that must be unique is another row's{detail}.",
    means: "A unique constraint other than the primary key.",
    hint: "Compare the two rows; one of them must change or go.",
  },
  constraint: {
    exit: "role",
    says: "{Where} refused to {doing}: a row breaks a constraint of the table{detail}.",
    means: "A NOT NULL, CHECK or exclusion constraint.",
    hint: "Compare the table's constraints with the row.",
  },
  "value-refused": {
    exit: "role",
    says: "{Where} refused to {doing}: a value does not fit its column{detail}.",
    means: "A value is out of range, or is no text of the column's type.",
    hint: "Compare the column's type with the value.",
  },
  trigger: {
    exit: "role",
    says: "A trigger or function of {where} refused to {doing}{detail}.",
    means: "Code inside the database raised an error.",
    hint: "Look at the table's triggers.",
  },
  "too-many-rows": {
    exit: "role",
    says: "{Where} was to {doing} and found more rows than were meant{detail}; none was changed.",
    means: "The condition matched more rows than it has keys.",
    hint: "Nothing needs mending; report it.",
  },
  "server-old": {
    exit: "role",
    says: "{Where} cannot bound how many rows a change touches{detail}.",
    means: "PostgREST before version 13.",
    hint: "Upgrade the project's PostgREST.",
  },
  "body-refused": {
    exit: "role",
    says: "{Where} did not understand what it was sent to {doing}{detail}.",
    means: "The rows were taken for something else than JSON on the way.",
    hint: "Is there a proxy in between? Nothing of this batch was written.",
  },
  "body-long": {
    exit: "role",
    says: "{Where} does not take as much at once as is needed to {doing}{detail}.",
    means: "A single row is larger than the gateway allows.",
    hint: "Leave the table out with --exclude, or make the row smaller.",
  },
  "address-long": {
    exit: "role",
    says: "The address needed to {doing} is too long for {where}{detail}.",
    means: "Keys, or names of columns, are very long.",
    hint: "Leave the table out with --exclude.",
  },
  "refused-request": {
    exit: "role",
    says: "{Where} refused to {doing}{detail}.",
    means: "An answer that dualsync knows nothing more of.",
    hint: `Look the code up in PostgREST's list of errors. ${AGAIN}`,
  },
} as const satisfies Record<string, Failure>;
