import * as fc from "fast-check";
import { BSON, type Document } from "mongodb";
import { expect, it } from "vitest";
import { commandMessage } from "./raw-client.ts";
import { WireReply } from "./reply.ts";
import { WireRequest } from "./request.ts";

/** Names are compared as ASCII, as all names are that the proxy knows; others may be there. */
const NAMES = ["lsid", "txnNumber", "$clusterTime", "filter", "limit", "lsid2"];
const value = fc.oneof(
  fc.integer(),
  fc.string(),
  fc.boolean(),
  fc.constant(null),
  fc.uint8Array({ maxLength: 40 }),
  fc.record({ lsid: fc.integer(), txnNumber: fc.string() }),
  fc.array(fc.string(), { maxLength: 3 }),
);
const fieldsOf = (...names: string[]) =>
  fc.dictionary(fc.constantFrom(...names), value, { noNullPrototype: true });
const fields = fieldsOf(...NAMES, "größe");
const documents = fc.array(fc.record({ _id: fc.integer(), lsid: fc.string() }), { maxLength: 3 });
const chosen = fc.subarray(NAMES);

function others(content: Document, names: readonly string[]): Document {
  return Object.fromEntries(Object.entries(content).filter(([name]) => !names.includes(name)));
}

it("a request is stripped of the named top-level fields and nothing else", () => {
  return fc.assert(
    fc.property(fields, documents, chosen, (content, sequence, names) => {
      const command = { find: "orders", ...content };
      const stripped = Buffer.concat(new WireRequest(commandMessage(command, sequence)).without(names));
      expect(stripped.equals(commandMessage(others(command, names), sequence))).toBe(true);
    }),
  );
});

it("a request's command is found after its documents, too", () => {
  const usual = commandMessage({ insert: "orders" }, [{ _id: 1 }]);
  const end = 21 + usual.readInt32LE(21);
  const turned = Buffer.concat([usual.subarray(0, 20), usual.subarray(end), usual.subarray(20, end)]);
  const request = new WireRequest(turned);
  expect([request.name, request.collection, request.database]).toEqual(["insert", "orders", "shop"]);
});

it("fields set in a reply replace those of the same name, and others stay", () => {
  return fc.assert(
    fc.property(fields, fieldsOf(...NAMES), (content, added) => {
      const request = new WireRequest(commandMessage({ ping: 1 }));
      const reply = WireReply.to(request, content);
      reply.set(added);
      const message = Buffer.concat(reply.pieces());
      expect(message.readInt32LE(0)).toBe(message.length);
      const meant = BSON.serialize({ ...others(content, Object.keys(added)), ...added });
      expect(message.subarray(21).equals(meant)).toBe(true);
    }),
  );
});
