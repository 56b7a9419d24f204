const LONG = process.env.DUALSYNC_TEST_LONG !== undefined;

/** How often a property is tried: all of that many times in the long run, a quarter of them otherwise. */
export function runs(all: number): number {
  return LONG ? all : Math.ceil(all / 4);
}
