import { configurationError } from "../../model/configuration-error.ts";
import { placeholderIn } from "./placeholders.ts";

export interface ServiceUrl {
  /** Without a slash at its end. */
  readonly url: string;
  /** Host and path, for people. */
  readonly label: string;
  readonly warnings: readonly string[];
}

/** Checks the address of a service that is spoken to over HTTP. `name` says where it was written. */
export function checkServiceUrl(text: string, name: string): ServiceUrl {
  const example =
    "Copy the project's address from its settings page; it looks like https://name.example.com.";
  const parsed = URL.canParse(text.trim()) ? new URL(text.trim()) : undefined;
  if (parsed === undefined || /[<>]|\$\{/.test(text))
    throw configurationError(`${name} is not a web address.`, example);
  if (parsed.protocol !== "https:" && parsed.protocol !== "http:") {
    throw configurationError(`${name} does not begin with https://.`, example);
  }
  if (parsed.username !== "" || parsed.password !== "" || parsed.search !== "" || parsed.hash !== "") {
    throw configurationError(
      `${name} holds more than a host and a path.`,
      "Leave out user, options and everything after ? or #.",
    );
  }
  const url = `${parsed.origin}${parsed.pathname.replace(/\/+$/, "")}`;
  const label = url.slice(url.indexOf("//") + 2);
  const open = parsed.protocol === "http:" && !/^(?:localhost|127\.[\d.]+|\[::1\])$/.test(parsed.hostname);
  return {
    url,
    label,
    warnings: open ? [`${name} begins with http://: the key travels unencrypted to ${parsed.host}.`] : [],
  };
}

/** Checks a key or token as far as its text goes, and returns it without blanks around it. */
export function checkKey(text: string, name: string): string {
  const key = text.trim();
  if (placeholderIn(key) !== undefined || /^your[-_ ]/i.test(key)) {
    throw configurationError(
      `${name} still holds a placeholder.`,
      "Replace it with the real key from the service's settings page.",
    );
  }
  if (!/^[\x21-\x7e]+$/.test(key) || /^["'`]/.test(key)) {
    throw configurationError(
      `${name} contains quotes, spaces or characters that no key has.`,
      "Copy the key again from the service's settings page, on one line and without quotes.",
    );
  }
  return key;
}
