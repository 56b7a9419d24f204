// Makes one call to the file system fail, or the process die at it: the n-th of those that are made once it is armed.
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";

/** @typedef {{ at: number, how: string, when: "before" | "half" | "after" }} Fault */
/** @typedef {(this: unknown, ...args: unknown[]) => Promise<unknown>} Call */

/** @type {string[] | undefined} */
let calls;
/** @type {Fault | undefined} */
let fault;

/** Begins to count the calls. Without a fault they are only counted.
 * @param {Fault | undefined} next
 * @returns {string[]} the names of the calls so far; it grows
 */
export function arm(next) {
  fault = next;
  calls = [];
  return calls;
}

/** @param {string} how */
function strike(how) {
  if (how === "KILL") process.kill(process.pid, "SIGKILL");
  throw Object.assign(new Error(`${how}: injected`), { code: how });
}

/** The half of what was to be written arrives.
 * @param {unknown} file @param {unknown[]} args
 */
function writeHalf(file, args) {
  const [bytes] = args;
  const { fd } = /** @type {{ fd?: number }} */ (file);
  if (fd !== undefined && bytes instanceof Uint8Array) fs.writeSync(fd, bytes, 0, bytes.length >> 1);
}

/** @param {string} name @param {Call} call @returns {Call} */
function faulty(name, call) {
  return async function (...args) {
    if (calls === undefined) return call.apply(this, args);
    if (calls.push(name) !== fault?.at) return closable(await call.apply(this, args));
    if (fault.when === "after") await call.apply(this, args).catch(() => undefined);
    if (fault.when === "half") writeHalf(this, args);
    return strike(fault.how);
  };
}

/** An opened file has a method of its own for closing.
 * @param {unknown} result
 */
function closable(result) {
  const opened = /** @type {{ close?: Call } | undefined} */ (result);
  if (typeof opened?.close === "function") opened.close = faulty("file.close", opened.close);
  return result;
}

/** @param {object} face @param {string} prefix */
function wrap(face, prefix) {
  for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(face))) {
    if (typeof value !== "function" || name === "constructor") continue;
    Object.defineProperty(face, name, { value: faulty(prefix + name, value), configurable: true });
  }
}

const file = await fs.promises.open(process.execPath);
wrap(Object.getPrototypeOf(file), "file.");
await file.close();
wrap(fs.promises, "");
syncBuiltinESMExports();
