const PLAIN = /^[ !#-[\]-\ud7ff\ue000-\uffff]*$/;

/** A string as JSON, with the escapes that it needs and no others. */
export function quoted(text: string): string {
  return text.length < 64 && PLAIN.test(text) ? `"${text}"` : JSON.stringify(text);
}
