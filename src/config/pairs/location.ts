import type { Connector, Location, ParsedLocation } from "../../connectors/connector.ts";
import { closest } from "../../connectors/location/closest.ts";
import { connectorOf, connectors, openable } from "../../connectors/registry.ts";
import { configurationError, listed } from "../../model/configuration-error.ts";
import type { Environment } from "../../model/environment.ts";

/** Parses one value of `--from` or `--to`; `flag` is its name in messages. Fails with `usage`. */
export function parseLocation(text: string, flag: string, environment: Environment): ParsedLocation {
  const written = text.trim();
  for (const connector of connectors()) {
    if (connector.open === undefined) {
      if (isMeant(connector, written, environment)) throw notSupported(connector, flag);
      continue;
    }
    const parsed = connector.parse(written, flag, environment);
    if (parsed !== undefined) return parsed;
  }
  const forms = openable().flatMap((connector) => connector.forms);
  throw configurationError(
    `${flag} is not a location that dualsync knows.`,
    `${adviceFor(written, environment)}A location is ${listed(forms, "or")}.`,
  );
}

/** Whether the text names such a store, complete or not. */
function isMeant(connector: Connector, written: string, environment: Environment): boolean {
  try {
    return connector.parse(written, "", environment) !== undefined;
  } catch {
    return true;
  }
}

function notSupported({ words }: Connector, flag: string): Error {
  const forms = openable().flatMap((connector) => connector.forms);
  return configurationError(
    `${flag} names ${words.store}, which this version of dualsync does not support yet.`,
    `A location is ${listed(forms, "or")}.`,
  );
}

/** Everything in a location that must never be shown: give it to the redactor. */
export function secretsOf(location: Location): readonly string[] {
  return connectorOf(location).secrets(location);
}

/** Whether both lead to one store, by their addresses. */
export function isSameStore(left: Location, right: Location): boolean {
  return left.kind === right.kind && connectorOf(left).isSame(left, right);
}

function adviceFor(written: string, environment: Environment): string {
  for (const connector of openable()) {
    const advice = connector.advise?.(written, environment);
    if (advice !== undefined) return `${advice} `;
  }
  const scheme = /^([a-z+]+):/i.exec(written)?.[1];
  const forms = openable().flatMap((connector) => connector.forms);
  const names = forms.filter((form) => !form.includes(":"));
  const schemes = forms.flatMap((form) => /^([a-z+]+):/.exec(form)?.[1] ?? []);
  const meant = closest(scheme ?? written, scheme === undefined ? names : schemes);
  if (meant === undefined) return "";
  if (scheme === undefined) return `Did you mean ${meant}? `;
  const hasHost = forms.some((form) => form.startsWith(`${meant}://`));
  return `Did you mean ${meant}:${hasHost ? "//" : ""}? `;
}
