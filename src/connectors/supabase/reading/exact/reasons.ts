/** Why a column is not read exactly, and what to do about it. */
import type { Setting } from "./session.ts";

/** A setting may be that of a role or of the database. */
function remedy(setting: Setting): string {
  return `Run alter role authenticator reset ${setting} (or service_role, or alter database) in the project's SQL editor, restart the project, run this again.`;
}

export const ROUNDED = `its numbers arrive rounded, because extra_float_digits is below 1. ${remedy("extra_float_digits")}`;

export const UNPROVED =
  "its numbers may arrive rounded, if extra_float_digits is below 1. Run dualsync sql and install what it prints, which shows the setting.";

const FORMS: Readonly<Record<Setting, string>> = {
  extra_float_digits: "its numbers may arrive rounded",
  DateStyle: "its times are not in ISO form, and could mean other times under another DateStyle",
  IntervalStyle:
    "its intervals are in the form of sql_standard, and could mean others under another IntervalStyle",
  lc_monetary: "its amounts are in a form that only this lc_monetary uses",
};

export function formReason(setting: Setting): string {
  return `${FORMS[setting]}. ${remedy(setting)}`;
}

/** Of a type whose text is made of texts of other types. */
export function insideReason(settings: readonly Setting[]): string {
  return `its text may hold values in a form that ${settings.join(" and ")} changes. ${settings.map(remedy).join(" ")}`;
}

export const REWRITTEN =
  "the project returns it in a form that it does not read back as the same value: a cast of its type, or a setting, rewrites it. Look at the casts of its type (\\dC in psql).";

/** A cast that is known to exist, whose results are unknown. */
export const CAST =
  "it is read through a cast of its type to text, which may not give its exact value. Look at the casts of its type (\\dC in psql).";

export const OTHER_DIGEST =
  "dualsync_digest hashes something other than what is read. Run dualsync sql again and install what it prints.";

export const SETTING_DEPENDENT =
  "its text changes with settings of the project's role or database: dualsync_digest, which has its own settings, sees a different text. Run alter role authenticator reset all in the project's SQL editor and restart the project.";
