import { beforeAll } from "vitest";
import type { CollectionInfo } from "../../../src/connectors/collection.ts";
import { leaseSql } from "../../../src/connectors/supabase/sql/sql-lease.ts";
import { type SupabaseStore, supabase } from "../../../src/connectors/supabase/supabase.ts";
import type { SupabaseSession } from "../../../src/connectors/supabase/writing/target.ts";
import type { Postgrest, PostgrestOptions } from "../../services/postgrest/postgrest.ts";
import { never } from "../signal.ts";
import { sessionOf } from "./claimed.ts";
import { sharedPostgrest } from "./shared-services.ts";

/** A project that one test file writes to, with the right to do so. */
export interface SupabaseTarget {
  readonly project: Postgrest;
  /** Opened after the statements of `tables` ran. */
  readonly store: SupabaseStore;
  readonly session: SupabaseSession;
  /** Runs SQL, and opens the store again, so that it knows what the SQL created. */
  tables(sql: string): Promise<void>;
  /** Rows as Postgres itself prints them: one text a row. */
  rows(sql: string): Promise<string[]>;
}

/** Call at the top of a test file; all is there as soon as tests run. */
export function supabaseTarget(options: PostgrestOptions = {}): SupabaseTarget {
  let project: Postgrest | undefined;
  let open: { readonly store: SupabaseStore; readonly session: SupabaseSession } | undefined;
  const started = <T>(value: T | undefined): T => {
    if (value === undefined) throw new Error("the project is there only while tests run");
    return value;
  };
  const target: SupabaseTarget = {
    get project() {
      return started(project);
    },
    get store() {
      return started(open).store;
    },
    get session() {
      return started(open).session;
    },
    async tables(sql) {
      await target.project.query(sql);
      await target.project.reload();
      await open?.session.release();
      const { url, secretKey: key } = target.project;
      const store = await supabase({ url, key, schema: "public", label: "test", role: "target" }, never);
      open = { store, session: await sessionOf(store) };
    },
    async rows(sql) {
      const { rows } = await target.project.query(`select t::text as row from (${sql}) as t`);
      return rows.map(({ row }) => String(row));
    },
  };
  beforeAll(async () => {
    project = await sharedPostgrest(options);
    await project.query(leaseSql("public"));
    return async () => {
      await open?.session.release();
      await project?.stop();
    };
  });
  return target;
}

/** A collection as another store would list it. */
export function collectionOf(name: string): CollectionInfo {
  return {
    name,
    kind: "collection",
    type: "table",
    options: new Map(),
    ordered: true,
    documents: 0,
    bytes: 0,
  };
}
