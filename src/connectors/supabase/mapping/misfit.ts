/** Why a document has no place in a table. `what` follows the column's name and type, and holds no value. */
export class Misfit extends Error {
  readonly what: string;

  constructor(what: string) {
    super(what);
    this.what = what;
  }
}

export function misfit(what: string): never {
  throw new Misfit(what);
}
