/** `<anything>`: what is left of a template. Percent-encode the brackets of a real value that looks so. */
const BRACKETS = /^<[^<>]*>$/;
/** A shell or dotenv-expand variable. Values are never expanded here. */
const VARIABLE = /\$\{[A-Za-z_]\w*\}/;
const WORDS =
  /^(?:your|enter|insert)[-_ ]?(?:db|database|mongo|mongodb|atlas)?[-_ ]?(?:password|passwd|pass|pwd|user|user[-_ ]?name)(?:[-_ ]?here)?$/i;
/** Templates whose brackets somebody percent-encoded together with the word. */
const ENCODED = /^<(?:db[-_ ]?)?(?:password|user|user[-_ ]?name|name)>$/i;
/** A password as some program displays it. */
const MASK = /^[*\u2022]{3,}$/;

export type Placeholder = "template" | "variable";

/** Whether a part of an address is what a guide or a console printed for people to replace. */
export function placeholderIn(raw: string): Placeholder | undefined {
  if (VARIABLE.test(raw)) return "variable";
  if (BRACKETS.test(raw) || WORDS.test(raw) || MASK.test(raw)) return "template";
  return ENCODED.test(decoded(raw)) ? "template" : undefined;
}

function decoded(raw: string): string {
  try {
    return decodeURIComponent(raw);
  } catch {
    return raw;
  }
}
