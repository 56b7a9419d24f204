/** Reserved words of Postgres that people name tables by. */
const RESERVED = new Set(
  (
    "all analyse analyze and any array as asc asymmetric both case cast check collate column constraint create " +
    "current_date current_role current_time current_user default deferrable desc distinct do else end except false fetch " +
    "for foreign from grant group having in initially intersect into lateral leading limit localtime not null offset on " +
    "only or order placing primary references returning select session_user some symmetric system_user table then to " +
    "trailing true union unique user using variadic when where window with"
  ).split(" "),
);

/** The statement that gives the API's role the rights on a table, or on all tables that the schema has now. */
export function grants(schema: string, table: string | undefined, write: boolean): string {
  const rights = write ? "select, insert, update, delete" : "select";
  const on =
    table === undefined
      ? `all tables in schema ${identifier(schema)}`
      : `table ${identifier(schema)}.${identifier(table)}`;
  return `grant ${rights} on ${on} to service_role;`;
}

/** A name as SQL takes it. */
export function identifier(name: string): string {
  const plain = /^[a-z_][a-z0-9_]*$/.test(name) && !RESERVED.has(name);
  return plain ? name : `"${name.replaceAll('"', '""')}"`;
}

/** A text as SQL takes it, whatever the session's settings. */
export function literal(text: string): string {
  return text.includes("\\") ? ` E'${text.replace(/['\\]/g, "\\$&")}'` : `'${text.replaceAll("'", "''")}'`;
}
