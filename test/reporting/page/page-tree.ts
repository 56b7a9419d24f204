/** A page of HTML as a browser's parser understands it. */
import { type DefaultTreeAdapterTypes, parse } from "parse5";

type Node = DefaultTreeAdapterTypes.Node;

export interface Tag {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  /** Its own text and that of everything in it. */
  readonly text: string;
  /** Its own text, in pieces between its children. */
  readonly own: readonly string[];
}

/** Every element of the page, in order. */
export function tags(page: string): Tag[] {
  return [...walk(parse(page, { scriptingEnabled: true }))];
}

function* walk(node: Node): Generator<Tag> {
  if (!("childNodes" in node)) return;
  if ("tagName" in node) {
    yield {
      name: node.tagName,
      attributes: Object.fromEntries(node.attrs.map(({ name, value }) => [name, value])),
      text: textOf(node),
      own: node.childNodes.flatMap((child) => ("value" in child ? [child.value] : [])),
    };
  }
  for (const child of node.childNodes) yield* walk(child);
}

function textOf(node: Node): string {
  if ("value" in node) return node.value;
  return "childNodes" in node ? node.childNodes.map(textOf).join("") : "";
}

/** What the parser found wrong. */
export function parseErrors(page: string): string[] {
  const errors: string[] = [];
  parse(page, { onParseError: ({ code, startLine }) => errors.push(`${code} in line ${startLine}`) });
  return errors;
}
