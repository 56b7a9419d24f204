import { configurationError } from "../../model/configuration-error.ts";

/** Reads --newer-by. @throws DualsyncError `usage` for what names nothing */
export function fieldName(name: string): string {
  if (name.trim() !== "") return name;
  throw configurationError(
    "--newer-by needs the name of a field.",
    "Write, for example, --newer-by changed_at.",
  );
}
