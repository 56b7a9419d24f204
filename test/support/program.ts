import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { rolldown } from "rolldown";
import { cacheFolder } from "../services/process/cache.ts";

/** The program as `npm run build` leaves it. */
const BUILT = resolve("dist/cli.js");

/** Starts the program as bin/dualsync.js does. What V8 compiled is kept beside it: each later start need not compile it. */
const STARTER = `process.env.V8_COMPILE_CACHE_CACHE_DIR = __dirname;
require(${JSON.stringify(resolve("node_modules/v8-compile-cache"))});
delete process.env.V8_COMPILE_CACHE_CACHE_DIR;
require("./program.cjs").main();
`;

/**
 * Makes one file of the built program. The tests start it thousands of times, and loading its 400 modules is half the work of
 * a short run. The driver stays where it is: the program reaches into it. What is installed is tested by test/package.test.ts,
 * and wherever memory is measured.
 */
export async function bundleProgram(): Promise<{ readonly bin: string; remove(): Promise<void> }> {
  await mkdir(cacheFolder(), { recursive: true });
  const folder = await mkdtemp(join(cacheFolder(), "program-"));
  const remove = async (): Promise<void> => await rm(folder, { recursive: true, force: true });
  try {
    const bundle = await rolldown({
      input: BUILT,
      platform: "node",
      external: [/^node:/, /^mongodb/, /^bson/],
      transform: { define: { "import.meta.url": JSON.stringify(pathToFileURL(BUILT).href) } },
    });
    await bundle.write({ file: join(folder, "program.cjs"), format: "cjs", codeSplitting: false });
    await bundle.close();
    const bin = join(folder, "dualsync.cjs");
    await writeFile(bin, STARTER);
    return { bin, remove };
  } catch (error) {
    await remove();
    throw error;
  }
}
