// Loaded before the program (--import): a machine whose clock is two hours fast.
const AHEAD = 2 * 60 * 60 * 1000;
const RealDate = Date;

globalThis.Date = /** @type {DateConstructor} */ (
  class extends RealDate {
    /** @param {any[]} given */
    constructor(...given) {
      if (given.length === 0) super(RealDate.now() + AHEAD);
      else super(.../** @type {[number]} */ (given));
    }
    /** @override */
    static now() {
      return RealDate.now() + AHEAD;
    }
  }
);
