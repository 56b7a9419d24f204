/** How `sql` is spelt, and what it prints. */
import type { Command as Program } from "commander";
import { configurationError } from "../../model/configuration-error.ts";
import type { Command } from "../command.ts";

const EXAMPLES = `
Examples:
  $ dualsync sql                          look at it, or paste it into the SQL editor
  $ dualsync sql | psql "$DATABASE_URL"   install it, or bring it up to date`;

export const sqlCommand: Command = {
  name: "sql",
  describe,
  prepare(flags) {
    if (flags.json === true) {
      throw configurationError(
        "sql prints SQL, which has no records: it takes no --json.",
        "Run dualsync sql.",
      );
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
    .summary("print what can be installed in a Supabase project")
    .description(
      "Prints SQL for a Supabase project, to be run once: functions that make dualsync faster and more exact (hashes of rows for diff, facts that the project's API does not tell), and what it needs to write to the project safely. Reading works without it. Contacts nothing.",
    )
    .addHelpText("after", EXAMPLES);
}
