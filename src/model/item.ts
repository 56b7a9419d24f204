/** A named loss: a document rejected, an index that could not be built, a collection that was not copied. All of its texts are hostile data. */
export interface Item {
  /** Stable, for --accept: "document orders/17", "index orders/geo_2d", "option orders/validator". */
  readonly key: string;
  readonly reason: string;
  /** True when the person has accepted this key: shown, but not counted. */
  readonly accepted: boolean;
}
