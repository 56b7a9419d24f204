import { describe, expect, it } from "vitest";
import { rowsOf as readRows } from "../../../../src/connectors/supabase/reading/rows.ts";
import type { Table } from "../../../../src/connectors/supabase/schema/table.ts";
import { rowsOf, type Said } from "../../../services/http/scripted-http.ts";
import { collect } from "../../../support/data/documents.ts";
import { never } from "../../../support/signal.ts";
import { failureOf, inTurn, scriptedProject } from "../../../support/stores/scripted-project.ts";

const TABLE: Table = {
  name: "t",
  columns: [{ name: "id", type: "int4", nullable: false, hasDefault: false }],
  key: ["id"],
  references: [],
  writable: true,
};

const { server, project } = await scriptedProject();

const page = (...ids: number[]) => rowsOf(JSON.stringify(ids.map((id) => ({ id }))));
const none = rowsOf("[]", { "content-range": "*/0" });
const counted = (total: number) => rowsOf("[]", { "content-range": `*/${total}` });
const read = (batchSize = 1_000) => collect(readRows(project, TABLE).read({ batchSize, signal: never }));

describe("pages of rows", () => {
  const broken: readonly (readonly [string, Said])[] = [
    ["with fewer rows than it says", rowsOf('[{"id":1}]', { "content-range": "0-1/*" })],
    ["with rows and a range of none", rowsOf('[{"id":1}]', { "content-range": "*/*" })],
    ["that is cut after a list", rowsOf('[{"id":1},{"id":[2]')],
    ["that is cut and closed", rowsOf('[{"id":1},{"id":}]')],
    ["of other columns", rowsOf('[{"id":1,"x":2}]')],
  ];
  it.each(broken)("requests a page %s again, and fails when it is still so", async (_, said) => {
    inTurn(server, said, page(1, 2), none, counted(0));
    expect(await read()).toHaveLength(2);
    expect(server.heard).toHaveLength(4);
    inTurn(server, said);
    const error = await failureOf(read());
    expect(error.exit).toBe("source");
    expect(error.message).toMatch(/is not rows of t/);
  });

  it("continues after a short page, and after an empty one while more rows are counted", async () => {
    inTurn(server, page(1), page(2, 3), none, counted(0));
    expect(await read()).toHaveLength(3);
    inTurn(server, page(1), none, counted(5), page(2), none, counted(0));
    expect(await read()).toHaveLength(2);
    inTurn(server, page(1), none, counted(5), none, counted(4), none, none);
    expect(await read()).toHaveLength(1);
    inTurn(server, page(1), none, counted(5));
    const error = await failureOf(read());
    expect(error.exit).toBe("source");
    expect(error.message).toMatch(/no rows of t, but counts 5 more/);
  });

  it("fails when a page repeats rows", async () => {
    inTurn(server, page(1, 2), page(2, 3));
    expect((await failureOf(read())).message).toMatch(/returns rows of t twice or out of order/);
  });

  it("requests no more rows per page than the batch size", async () => {
    inTurn(server, page(1), page(2), none, counted(0));
    await read(3);
    const limits = server.heard.map(({ query }) => query.get("limit"));
    expect(limits.slice(0, 2)).toEqual(["3", "3"]);
  });
});
