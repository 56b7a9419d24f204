import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Project } from "../../src/connectors/supabase/project.ts";
import { openProject } from "../../src/connectors/supabase/project.ts";
import { rowsOf, type ScriptedHttp, startScriptedHttp } from "../services/scripted-http.ts";
import { never } from "../support/signal.ts";

const KEY = "sb_secret_canary-key";
const quick = { retries: 4, patience: 0, firstWait: 1, longestWait: 2 };

let server: ScriptedHttp;
let project: Project;

beforeAll(async () => {
  server = await startScriptedHttp();
  project = await open();
});
beforeEach(() => {
  server.heard.length = 0;
});
afterAll(() => server.stop());

function open(more: Partial<Parameters<typeof openProject>[0]> = {}): Promise<Project> {
  return openProject({
    url: server.url,
    key: KEY,
    label: "127.0.0.1",
    role: "source",
    policy: quick,
    ...more,
  });
}

const ALL = { select: [{ column: "id" }], limit: 10 };

describe("texts through the SDK", () => {
  it("keep every digit when they are read", async () => {
    const text =
      '[{"id":9007199254740993,"n":1.50,"big":1e400,"j":{"deep":[123456789012345678901234567890]}}]';
    server.script = () => rowsOf(text);
    await expect(project.rows("t", ALL, never)).resolves.toBe(text);
  });

  it("keep every digit when they are written", async () => {
    const text = '[{"id":9007199254740993,"n":1.50,"big":1e400,"j":{"z":"\\ud83d\\ude00 é😀"}}]';
    server.script = () => ({ status: 201, headers: { "content-range": "*/1" } });
    const rows = { text, columns: ["id", "n", "big", 'odd "name, x'], onConflict: ["id"] };
    await expect(project.upsert("t", rows, never)).resolves.toBe(1);
    const [heard] = server.heard;
    expect(heard?.body).toBe(text);
    expect(heard?.query.get("columns")).toBe('id,n,big,"odd \\"name, x"');
    expect(heard?.query.get("on_conflict")).toBe("id");
    expect(heard?.headers.prefer).toBe("resolution=merge-duplicates, return=minimal, count=exact");
    expect(heard?.headers["content-type"]).toBe("application/json");
    expect(heard?.headers["dualsync-query"]).toBeUndefined();
  });
});
