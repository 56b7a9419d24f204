import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";
import { WireConnection } from "./connection.ts";
import { Face, type FaceOptions } from "./face.ts";
import { FaultBook, type FaultRule, type SetFault } from "./faults/faults.ts";
import { type Direction, Traffic } from "./traffic.ts";

export interface WireProxyOptions extends FaceOptions {
  /** Port of the server behind it, on this machine. */
  readonly target: number;
  /** Of everything random. Default: 1. */
  readonly seed?: number;
}

/** Stands between a client and a MongoDB server: gives that another face, and does to it what networks and servers do. */
export interface WireProxy {
  /** Address without a database. */
  readonly uri: string;
  readonly port: number;
  readonly seed: number;
  /** How often each command arrived; all old spellings of hello count as "hello". */
  readonly commands: ReadonlyMap<string, number>;
  /** Bytes that have passed. */
  readonly bytes: Readonly<Record<Direction, number>>;
  /** Connections that were ever made, and those that are there now. */
  readonly connections: { readonly made: number; readonly open: number };
  /** How often `cutAfter` has cut. */
  readonly cuts: number;
  /** Lets a command fail; see FaultRule. The oldest rule that strikes a command decides. */
  fail(rule: FaultRule): SetFault;
  /** The primary becomes a secondary, which refuses all commands but hello; after `forMs`, if given, it is elected again. */
  stepDown(options?: { readonly forMs?: number }): void;
  /** The primary is elected again. */
  stepUp(): void;
  /** Drops every connection as soon as that many bytes have gone in that direction from now on; new ones work. */
  cutAfter(bytes: number, direction: Direction): void;
  /** Drops every connection now; new ones work. */
  dropAll(): void;
  /** Bytes a second for each direction, of all connections together; Infinity ends it. */
  throttle(bytesPerSecond: number): void;
  /** Lets every command wait before it goes on. */
  delay(ms: number): void;
  /** Ends all faults that were set at run time. */
  calm(): void;
  /** Ends it and drops every connection; the server behind it stays. May be called again. */
  stop(): Promise<void>;
}

/** Starts a proxy in this process, on a free port of this machine. */
export async function startWireProxy(options: WireProxyOptions): Promise<WireProxy> {
  const seed = options.seed ?? 1;
  const faults = new FaultBook(seed);
  const traffic = new Traffic();
  const commands = new Map<string, number>();
  const open = new Set<WireConnection>();
  let made = 0;
  const onCommand = (name: string): void => void commands.set(name, (commands.get(name) ?? 0) + 1);
  const dropAll = (): void => {
    for (const connection of open) connection.drop();
  };

  const server = createServer({ noDelay: true });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const face = new Face(`127.0.0.1:${port}`, options);
  server.on("connection", (client) => {
    const engine = connect({ port: options.target, host: "127.0.0.1", noDelay: true });
    const connection = new WireConnection(client, engine, { face, faults, traffic, onCommand, dropAll });
    made++;
    open.add(connection);
    void connection.serve().finally(() => open.delete(connection));
  });

  return {
    uri: face.uri,
    port,
    seed,
    commands,
    bytes: traffic.bytes,
    get connections() {
      return { made, open: open.size };
    },
    get cuts() {
      return traffic.cuts;
    },
    fail: (rule) => faults.set(rule),
    stepDown({ forMs } = {}) {
      face.stepDown();
      if (forMs !== undefined) setTimeout(() => face.stepUp(), forMs).unref();
    },
    stepUp: () => face.stepUp(),
    cutAfter: (bytes, direction) => traffic.cutAfter(bytes, direction),
    dropAll,
    throttle(bytesPerSecond) {
      traffic.bytesPerSecond = bytesPerSecond;
    },
    delay(ms) {
      traffic.delay = ms;
    },
    calm() {
      faults.cancelAll();
      traffic.calm();
      face.stepUp();
    },
    async stop() {
      const closed = server.listening ? once(server, "close") : undefined;
      server.close();
      dropAll();
      await closed;
    },
  };
}
