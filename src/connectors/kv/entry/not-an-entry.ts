/** Why a document is no entry of a KV store, in words that follow its id. Holds no value. */
export class NotAnEntry extends Error {
  readonly problem: string;

  constructor(problem: string) {
    super(problem);
    this.problem = problem;
  }
}

export function notAnEntry(problem: string): never {
  throw new NotAnEntry(problem);
}
