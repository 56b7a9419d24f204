import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Tables } from "../../../../src/connectors/supabase/reading/tables.ts";
import { catalogOf, readCatalog } from "../../../../src/connectors/supabase/schema/catalog.ts";
import { typeName } from "../../../../src/connectors/supabase/schema/type-name.ts";
import { type Heard, refusalOf, rowsOf, type Said } from "../../../services/http/scripted-http.ts";
import { never } from "../../../support/signal.ts";
import {
  failureOf,
  inTurn,
  openScripted,
  scriptedProject,
} from "../../../support/stores/scripted-project.ts";

const PK = "Note:\nThis is a Primary Key.<pk/>";
const WRITABLE = { get: {}, post: {}, patch: {}, delete: {} };

const customers = {
  required: ["id", "total", "mood"],
  properties: {
    id: { format: "uuid", type: "string", default: "gen_random_uuid()", description: PK },
    total: { format: "numeric", type: "number", default: 0 },
    payments: { format: "jsonb" },
    tags: { format: "text[]", type: "array", items: { type: "string" } },
    mood: { format: "public.mood", type: "string", enum: ["glad", "sad"] },
    shop: {
      format: "integer",
      type: "integer",
      description:
        "Where it was bought.\n\nNote:\nThis is a Foreign Key to `shop.id`.<fk table='shop' column='id'/>",
    },
    at: { format: "timestamp with time zone", type: "string", default: "now()" },
  },
  type: "object",
};

function swagger(definitions: object, paths: object): object {
  return { swagger: "2.0", info: { version: "14.5" }, paths: { "/": { get: {} }, ...paths }, definitions };
}

describe("OpenAPI description of a project", () => {
  it("lists tables with their columns, keys, references, defaults and the values of enums", () => {
    const document = swagger(
      { customers },
      { "/customers": WRITABLE, "/rpc/dualsync_catalog": { get: {}, post: {} } },
    );
    const column = (name: string, type: string, nullable: boolean, hasDefault: boolean) => ({
      ...{ name, type, nullable, hasDefault },
    });
    expect(catalogOf(document)).toEqual({
      tables: [
        {
          name: "customers",
          columns: [
            { ...column("id", "uuid", false, true), shownDefault: "gen_random_uuid()" },
            { ...column("total", "numeric", false, true), shownDefault: 0 },
            column("payments", "jsonb", true, false),
            column("tags", "text[]", true, false),
            { ...column("mood", "public.mood", false, false), labels: ["glad", "sad"] },
            column("shop", "int4", true, false),
            { ...column("at", "timestamptz", true, true), shownDefault: "now()" },
          ],
          key: ["id"],
          references: [{ column: "shop", table: "shop", to: "id" }],
          writable: true,
        },
      ],
      unusable: [],
      version: "14.5",
      functions: new Set(["dualsync_catalog"]),
    });
  });

  it("distinguishes a read-only view from a table, and keeps the order of a composite key", () => {
    const both = { format: "bigint", type: "integer" };
    const note = `${PK}\nThis is a Foreign Key to \`a b.c\`.<fk table='a b' column='c'/>`;
    const lines = { properties: { b: { ...both, description: note }, a: { ...both, description: PK } } };
    const catalog = catalogOf(
      swagger({ lines, seen: customers }, { "/lines": WRITABLE, "/seen": { get: {} } }),
    );
    expect(catalog?.tables.map(({ name, key, writable }) => ({ name, key, writable }))).toEqual([
      { name: "lines", key: ["b", "a"], writable: true },
      { name: "seen", key: ["id"], writable: false },
    ]);
    expect(catalog?.tables[0]?.references).toEqual([{ column: "b", table: "a b", to: "c" }]);
  });

  it("ignores comments on columns that look like notes about keys", () => {
    for (const description of ["<pk/>", "This is a Primary Key.<pk/>", `${PK}\nnot really`, `x ${PK}`]) {
      const table = { properties: { a: { format: "text", description } } };
      expect(catalogOf(swagger({ table }, {}))?.tables[0]?.key).toEqual([]);
    }
  });

  it("lists the tables that cannot be used, with reasons", () => {
    const definitions = {
      "..": customers,
      "": customers,
      bare: { type: "object" },
      untyped: { properties: { a: { type: "string" } } },
      damaged: { properties: [], required: "all" },
      odd: { properties: { "\ud800": { format: "text" } } },
      ["n".repeat(300)]: customers,
      wide: {
        properties: Object.fromEntries(Array.from({ length: 1601 }, (_, n) => [`c${n}`, { format: "text" }])),
      },
      nothing: null,
    };
    const catalog = catalogOf(swagger(definitions, {}));
    expect(catalog?.tables).toEqual([]);
    expect(catalog?.unusable.map(({ name }) => name)).toEqual([
      ...["..", "", "bare", "untyped", "damaged", "odd", "n".repeat(255), "wide", "nothing"],
    ]);
    for (const { reason } of catalog?.unusable ?? []) expect(reason).toMatch(/^[a-z][^.]+$/);
  });

  it("accepts table and column names that JavaScript objects inherit", () => {
    const text = JSON.stringify(
      swagger({ x: customers, constructor: customers }, { "/constructor": WRITABLE }),
    );
    const document: unknown = JSON.parse(
      text.replace('"x":', '"__proto__":').replace('"payments"', '"__proto__"'),
    );
    const catalog = catalogOf(document);
    expect(catalog?.tables.map(({ name, writable }) => [name, writable])).toEqual([
      ["__proto__", false],
      ["constructor", true],
    ]);
    expect(catalog?.tables[0]?.columns[2]?.name).toBe("__proto__");
  });

  it("rejects what is not an OpenAPI description, and never crashes on any value", () => {
    for (const none of [
      null,
      1,
      "",
      [],
      {},
      { swagger: "3.0", paths: {} },
      { swagger: "2.0" },
      swagger([], {}),
    ])
      expect(catalogOf(none)).toBeUndefined();
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), fc.jsonValue(), (a, b, c) => {
        catalogOf(a);
        catalogOf({ swagger: "2.0", paths: a, definitions: b });
        catalogOf(swagger({ t: { properties: a, required: b } }, { "/t": c }));
        catalogOf(swagger({ t: { properties: { c: a, d: { format: b, description: c } } } }, {}));
      }),
    );
  });

  it("reads a hostile description within two seconds", () => {
    const description = `Note:\nThis is a Foreign Key to \`${"`.<fk table='".repeat(100_000)}`;
    const definitions = Object.fromEntries(
      Array.from({ length: 50 }, (_, n) => [
        `t${n}`,
        { properties: { a: { format: "text", description }, b: { format: "[]".repeat(50_000) } } },
      ]),
    );
    const begun = performance.now();
    expect(catalogOf(swagger(definitions, {}))?.tables).toEqual([]);
    expect(performance.now() - begun).toBeLessThan(2_000);
  });
});

describe("typeName", () => {
  it.each([
    ["smallint", "int2"],
    ["integer", "int4"],
    ["int32", "int4"],
    ["bigint", "int8"],
    ["int64", "int8"],
    ["int64[]", "int8[]"],
    ["real", "float4"],
    ["double precision", "float8"],
    ["boolean", "bool"],
    ["character varying", "varchar"],
    ["character varying(20)[]", "varchar[]"],
    ["character", "bpchar"],
    ['"char"', "char"],
    ["timestamp with time zone", "timestamptz"],
    ["timestamp(3) without time zone", "timestamp"],
    ["time with time zone", "timetz"],
    ["time without time zone", "time"],
    ["bit varying(8)", "varbit"],
    ["interval", "interval"],
    ["text[][]", "text[]"],
    ["integer[3]", "int4[]"],
    ["pg_catalog.text", "text"],
    ["public.text", "public.text"],
    ['public."Mood (new)"', 'public."Mood (new)"'],
    ["uuid", "uuid"],
  ])("reads the type %s as %s", (format, type) => {
    expect(typeName(format)).toEqual({ type });
  });

  it("reads the scale of a numeric type where there is one", () => {
    expect(typeName("numeric(10,2)")).toEqual({ type: "numeric", scale: 2 });
    expect(typeName("numeric(10)[]")).toEqual({ type: "numeric[]", scale: 0 });
    expect(typeName("numeric(10,-2)")).toEqual({ type: "numeric" });
    expect(typeName("numeric")).toEqual({ type: "numeric" });
  });
});

const { server } = await scriptedProject();

function openapi(document: unknown): Said {
  return rowsOf(JSON.stringify(document), { "content-type": "application/openapi+json; charset=utf-8" });
}

describe("list of tables", () => {
  it("requests the list of tables at the root of the API", async () => {
    inTurn(server, openapi(swagger({ customers }, { "/customers": WRITABLE })));
    const { tables } = await readCatalog(await openScripted(server, { schema: "shop" }), never);
    expect(tables.map(({ name }) => name)).toEqual(["customers"]);
    expect(server.heard[0]).toMatchObject({ method: "GET", address: "/rest/v1/" });
    expect(server.heard[0]?.headers).toMatchObject({
      accept: "application/openapi+json",
      "accept-profile": "shop",
    });
  });

  const forbidden = { status: 401, body: '{"message":"Access to schema is forbidden"}' };
  const refused: ReadonlyArray<readonly [string, Said, string, RegExp, RegExp]> = [
    [
      "to a public key",
      forbidden,
      "denied",
      /does not show the list of its tables to this key/,
      /SERVICE_ROLE_KEY/,
    ],
    ["by the gateway", { status: 403 }, "denied", /does not show the list/, /SERVICE_ROLE_KEY/],
    [
      "with a bad token",
      refusalOf(401, "PGRST301"),
      "denied",
      /refuses the key \(HTTP 401, PGRST301\)/,
      /SERVICE_ROLE/,
    ],
    ["because it is off", refusalOf(404, "PGRST126"), "source", /does not publish the list/, /openapi_mode/],
    [
      "for another schema",
      refusalOf(406, "PGRST106"),
      "source",
      /schema public is not exposed/,
      /exposed schemas/,
    ],
    [
      "with a web page",
      { headers: { "content-type": "text/html" }, body: "<html>" },
      "source",
      /does not answer as the data API of a Supabase/,
      /address/,
    ],
    ["with rows", rowsOf("[]"), "source", /does not answer as the data API of a Supabase/, /address/],
    ["with other JSON", openapi({ openapi: "3.1.0" }), "source", /does not understand/, /address/],
    [
      "with no table",
      openapi(swagger({}, {})),
      "source",
      /shows no table/,
      /grant select on all tables in schema public to service_role;/,
    ],
  ];
  it.each(refused)(
    "gives a list of tables refused %s its own error message",
    async (_, said, exit, sentence, hint) => {
      inTurn(server, said);
      const error = await failureOf(readCatalog(await openScripted(server), never));
      expect(error.exit).toBe(exit);
      expect(error.message).toMatch(sentence);
      expect(error.hint).toMatch(hint);
    },
  );
});

describe("tables of a project", () => {
  const MANY = Array.from({ length: 40 }, (_, n) => `t${String(n).padStart(2, "0")}`);
  const described = openapi(
    swagger(
      Object.fromEntries(
        MANY.map((name) => [
          name,
          { required: ["id"], properties: { id: { format: "integer", description: PK } } },
        ]),
      ),
      Object.fromEntries(MANY.map((name) => [`/${name}`, WRITABLE])),
    ),
  );
  const answers = ({ path, headers }: Heard): Said => {
    if (path.endsWith("/v1/")) return described;
    const isCount = /count=exact/.test(String(headers.prefer));
    return rowsOf('[{"id":1}]', { "content-range": isCount ? "0-0/1" : "0-0/*" });
  };

  it("lists all tables, whichever reply arrives first, with one request for each", async () => {
    server.script = answers;
    const { collections } = await new Tables(await openScripted(server)).list(never);
    expect(collections.map(({ name }) => name)).toEqual(MANY);
    expect(server.heard.length).toBe(1 + MANY.length);
  });

  it("requests no more tables once the project itself refuses", async () => {
    server.script = (heard) => (heard.path.endsWith("/t03") ? { status: 540 } : answers(heard));
    const project = await openScripted(server);
    const error = await failureOf(new Tables(project).list(never));
    expect(error.exit).toBe("source");
    const heard = server.heard.length;
    // As long as the others would take, answer by answer.
    for (const _ of MANY) await project.count("other", "id", [], never);
    expect(server.heard.length - heard - MANY.length).toBeLessThanOrEqual(4);
  });
});
