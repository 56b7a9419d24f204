import { resolve } from "node:path";
import { type KvLocation, kvLocation } from "../../connectors/kv/location.ts";
import { closest } from "../../connectors/location/closest.ts";
import {
  type MongodbLocation,
  mongodbFromArgument,
  mongodbFromVariable,
} from "../../connectors/mongodb/location/location.ts";
import { mongodbSecrets } from "../../connectors/mongodb/location/uri.ts";
import { type SupabaseLocation, supabaseLocation } from "../../connectors/supabase/location.ts";
import { configurationError } from "../../model/configuration-error.ts";
import type { Environment } from "../env/environment.ts";

/** An archive: a directory that dualsync wrote or will write. */
export interface FileLocation {
  readonly kind: "file";
  /** Absolute. */
  readonly directory: string;
  readonly origin: string;
  readonly label: string;
  readonly reference: string;
}

/**
 * Where data is, checked as far as that is possible without contacting anything. `label` is for people and holds no
 * credentials; `origin` says where it was written ("MONGODB_URI in .env.local", "--from"); `reference` is how to write
 * it as an argument without a secret, and is absent for an address that was itself an argument.
 */
export type Location = MongodbLocation | SupabaseLocation | KvLocation | FileLocation;

export interface ParsedLocation {
  readonly location: Location;
  /** Sentences for the person, without values. */
  readonly warnings: readonly string[];
}

const FORMS = "mongodb, supabase, kv, env:NAME, file:DIR, mongodb://… or mongodb+srv://…";

/** Parses one value of `--from` or `--to`; `flag` is its name in messages. Fails with `usage`. */
export function parseLocation(text: string, flag: string, environment: Environment): ParsedLocation {
  const written = text.trim();
  if (/^mongodb(?:\+srv)?:\//i.test(written)) return mongodbFromArgument(written, flag, environment);
  if (written === "mongodb")
    return { location: mongodbFromVariable("MONGODB_URI", environment), warnings: [] };
  if (written === "supabase") return supabaseLocation(environment);
  if (written === "kv") return kvLocation(environment);
  if (written.startsWith("env:"))
    return { location: fromNamedVariable(written.slice(4), flag, environment), warnings: [] };
  if (written.startsWith("file:"))
    return { location: fileLocation(written.slice(5), flag, environment), warnings: [] };
  throw unknownLocation(written, flag, environment);
}

/** Everything in a location that must never be shown: give it to the redactor. */
export function secretsOf(location: Location): string[] {
  if (location.kind === "mongodb") return mongodbSecrets(location.address);
  if (location.kind === "supabase") return [location.key];
  return location.kind === "kv" ? [location.token] : [];
}

function fromNamedVariable(name: string, flag: string, environment: Environment): MongodbLocation {
  if (/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) return mongodbFromVariable(name, environment);
  throw configurationError(
    `${flag} has no variable's name after env:.`,
    "Write the name of the variable that holds the address, for example env:MONGODB_ATLAS_URI.",
  );
}

function fileLocation(written: string, flag: string, environment: Environment): FileLocation {
  const path = written.startsWith("//") ? written.slice(2) : written;
  if (path === "" || path.includes("\0")) {
    throw configurationError(
      `${flag} has no directory after file:.`,
      "Write the archive's directory, for example file:./backup.",
    );
  }
  const directory = resolve(environment.cwd, path);
  return { kind: "file", directory, origin: flag, label: directory, reference: `file:${path}` };
}

function unknownLocation(written: string, flag: string, environment: Environment): Error {
  return configurationError(
    `${flag} is not a location that dualsync knows.`,
    `${adviceFor(written, environment)}A location is ${FORMS}.`,
  );
}

function adviceFor(written: string, environment: Environment): string {
  if (/^postgres(?:ql)?:|^https?:.*supabase/i.test(written))
    return "For a Supabase project write supabase and set its variables. ";
  if (/^rediss?:|^https?:.*upstash/i.test(written))
    return "For Vercel KV or Upstash write kv and set its variables. ";
  if (/^[A-Za-z_][A-Za-z0-9_]*$/.test(written) && environment.get(written) !== undefined)
    return `Did you mean env:${written}? `;
  if (/^\.{0,2}\//.test(written)) return "For a directory write file: before it. ";
  const scheme = /^([a-z+]+):/i.exec(written)?.[1];
  const meant = closest(
    scheme ?? written,
    scheme === undefined ? ["mongodb", "supabase", "kv"] : ["mongodb", "mongodb+srv", "env", "file"],
  );
  if (meant === undefined) return "";
  if (scheme === undefined) return `Did you mean ${meant}? `;
  return `Did you mean ${meant}:${meant.startsWith("mongodb") ? "//" : ""}? `;
}
