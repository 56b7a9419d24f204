/** How `sql` is given on the command line, and what it prints. */
import type { Command as Program } from "commander";
import { configurationError } from "../../model/configuration-error.ts";
import type { Command } from "../command.ts";

const EXAMPLES = `
Examples:
  $ dualsync sql                          look at it, or paste it into the SQL editor
  $ dualsync sql | psql "$DATABASE_URL"   install or update it`;

export const sqlCommand: Command = {
  name: "sql",
  describe,
  prepare(flags) {
    if (flags.json === true) {
      throw configurationError("sql prints SQL, not records: it takes no --json.", "Run dualsync sql.");
    }
    return {
      warnings: [],
      secrets: [],
      async work({ print }) {
        const { installSql } = await import("../../connectors/supabase/sql/sql.ts");
        print(installSql());
        return 0;
      },
    };
  },
};

function describe(program: Program): Program {
  return program
    .command("sql")
    .usage("[flags]")
    .summary("print SQL functions for a Supabase project")
    .description(
      "Prints SQL to run once in a Supabase project: functions that make dualsync faster and more exact (row hashes for diff, schema facts that the API does not expose), and the control table that writing to the project needs. Reading works without it. Contacts nothing.",
    )
    .addHelpText("after", EXAMPLES);
}
