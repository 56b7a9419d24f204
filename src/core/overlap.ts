/**
 * A run that reads what was changed since the last one begins so much before it, in milliseconds: clocks differ, and
 * what is committed late bears an earlier time.
 */
export const OVERLAP = 5 * 60 * 1000;
