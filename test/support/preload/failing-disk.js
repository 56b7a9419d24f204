// Loaded before the program (--import): from its n-th call on, nothing can be written to a .dualsync folder any more.
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";

const { DUALSYNC_TEST_FAULT_AT, DUALSYNC_TEST_FAULT } = process.env;
let calls = 0;

/** @typedef {(this: unknown, ...args: unknown[]) => Promise<unknown>} Call */

/**
 * @param {Record<string, Call>} face
 * @param {string} name
 * @param {(args: unknown[]) => boolean} concerns
 */
function wrap(face, name, concerns) {
  const original = /** @type {Call} */ (face[name]);
  face[name] = async function (...args) {
    if (concerns(args) && ++calls >= Number(DUALSYNC_TEST_FAULT_AT)) {
      throw Object.assign(new Error("injected"), { code: DUALSYNC_TEST_FAULT });
    }
    return await original.apply(this, args);
  };
}

const file = await fs.promises.open(process.execPath);
const handles = Object.getPrototypeOf(file);
await file.close();
for (const name of ["write", "writeFile", "sync"]) wrap(handles, name, () => true);
const inFolder = (/** @type {unknown[]} */ [path]) => String(path).includes(".dualsync");
for (const name of ["open", "rename", "mkdir"])
  wrap(/** @type {Record<string, any>} */ (fs.promises), name, inFolder);
syncBuiltinESMExports();
