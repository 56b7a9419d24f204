/** Why a column is not read exactly, and what to do about it. */
import type { Setting } from "./session.ts";

/** A setting may be that of a role or of the database. */
function remedy(setting: Setting): string {
  return `Run alter role authenticator reset ${setting} (or service_role, or alter database) in the project's SQL editor, restart the project, run this again.`;
}

export const ROUNDED = `its numbers arrive rounded, for extra_float_digits is set below 1. ${remedy("extra_float_digits")}`;

export const UNPROVED =
  "nothing shows whether its numbers arrive rounded, as they do where extra_float_digits is set below 1. Run dualsync sql and install what it prints: then the project tells.";

const FORMS: Readonly<Record<Setting, string>> = {
  extra_float_digits: "its numbers may arrive rounded",
  DateStyle: "its times are not in ISO form, and may be other times under another DateStyle",
  IntervalStyle:
    "its intervals are in the form of sql_standard, and may be others under another IntervalStyle",
  lc_monetary: "its amounts are in a form that they have under this lc_monetary only",
};

export function formReason(setting: Setting): string {
  return `${FORMS[setting]}. ${remedy(setting)}`;
}

/** Of a type whose text is made of texts of other types. */
export function insideReason(settings: readonly Setting[]): string {
  return `its text may hold values in a form that ${settings.join(" and ")} changes. ${settings.map(remedy).join(" ")}`;
}

export const REWRITTEN =
  "what the project gives of it is not what it takes for the same value: a cast of its type, or a setting, rewrites it. Look at the casts of its type (\\dC in psql).";

/** A cast that is known to be there, and of what it makes nothing can be told. */
export const CAST =
  "a cast of its type to text makes what is read of it, and nothing shows whether that is its value. Look at the casts of its type (\\dC in psql).";

export const OTHER_DIGEST =
  "dualsync_digest computes something else than what is read. Run dualsync sql again and install what it prints.";

export const SETTING_DEPENDENT =
  "its text changes with settings of the project's role or database: dualsync_digest, which has settings of its own, computes another one. Run alter role authenticator reset all in the project's SQL editor and restart the project.";
