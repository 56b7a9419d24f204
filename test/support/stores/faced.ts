import type { MongodbOptions, MongodbService } from "../../services/mongodb/mongodb.ts";
import type { FaceName } from "../../services/wire-proxy/face.ts";
import {
  startWireProxy,
  type WireProxy,
  type WireProxyOptions,
} from "../../services/wire-proxy/wire-proxy.ts";
import { sharedMongodb } from "./shared-services.ts";

/** A MongoDB behind a proxy, when tests run under a face or ask for faults; `uri` is the program's way to it. */
export interface FacedMongodb extends MongodbService {
  /** The way past the proxy: for set-up and checks. */
  readonly directUri: string;
  readonly proxy: WireProxy | undefined;
}

export type ProxyOptions = Omit<WireProxyOptions, "target">;

/**
 * A MongoDB, and a proxy before it when `proxyOptions` are given or the environment names a face in
 * `DUALSYNC_TEST_FACE`. `stop` ends both.
 */
export async function startFaced(
  options: MongodbOptions = {},
  proxyOptions?: ProxyOptions,
): Promise<FacedMongodb> {
  const service = await sharedMongodb(options);
  const directUri = service.uri;
  const face = faceOfRun();
  if (proxyOptions === undefined && face === undefined) return { ...service, directUri, proxy: undefined };
  const proxy = await startWireProxy({
    ...(face === undefined ? {} : { face }),
    ...proxyOptions,
    target: service.port,
  });
  const stop = async (): Promise<void> => {
    await proxy.stop();
    await service.stop();
  };
  return { ...service, directUri, uri: proxy.uri, proxy, stop };
}

function faceOfRun(): FaceName | undefined {
  const name = process.env.DUALSYNC_TEST_FACE;
  if (name === undefined || name === "") return undefined;
  if (name !== "standalone" && name !== "replica-set" && name !== "router")
    throw new Error(`DUALSYNC_TEST_FACE is "${name}"; it can be standalone, replica-set or router`);
  return name;
}
