import { configurationError } from "../../../model/configuration-error.ts";
import { placeholderIn } from "../../location/placeholders.ts";
import { decodePart, refuseUnescaped } from "./uri-parts.ts";

export interface UriUser {
  readonly user: string;
  /** Undefined when the address has a user and no password at all. Percent-decoded, as is `user`. */
  readonly password: string | undefined;
}

/** Checks what stands before the `@`: `user` or `user:password`, percent-encoded. */
export function checkUser(userInfo: string, name: string): UriUser {
  const colon = userInfo.indexOf(":");
  const user = colon === -1 ? userInfo : userInfo.slice(0, colon);
  const password = colon === -1 ? undefined : userInfo.slice(colon + 1);
  refusePlaceholder(user, "user name", name);
  refuseUnescaped(user, /[@/?#[\]]|\s/gu, colon === -1 ? "user name or password" : "user name", name);
  if (password !== undefined) {
    refusePlaceholder(password, "password", name);
    refuseUnescaped(password, /[@:/?#[\]]|\s/gu, "password", name);
  }
  if (user === "")
    throw configurationError(
      `${name} has no user name before the @.`,
      "Write user and password, or leave out the @.",
    );
  if (password === "") {
    throw configurationError(
      `${name} has an empty password.`,
      "Write the password after the colon; MongoDB has no empty ones.",
    );
  }
  return {
    user: decodePart(user, "user name", name),
    password: password === undefined ? undefined : decodePart(password, "password", name),
  };
}

/** Fails with `usage` when a part is still what a guide or console printed for people to replace. */
export function refusePlaceholder(raw: string, place: string, name: string): void {
  const kind = placeholderIn(raw);
  if (kind === undefined) return;
  if (kind === "variable") {
    throw configurationError(
      `${name} holds a \${…} variable in the ${place}, and variables are not expanded here.`,
      `Write the real ${place}, percent-encoded.`,
    );
  }
  throw configurationError(
    `${name} still holds a placeholder where the ${place} belongs.`,
    `Replace it, brackets included, with the real ${place}, percent-encoded.`,
  );
}
