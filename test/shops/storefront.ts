/** A shop on Supabase: customers with their payments inside the row, and one row of settings. All of it is invented. */

export interface StorefrontOptions {
  /** 300 without it. */
  readonly customers?: number;
}

/** Runs one statement, or several; parameters are not needed. */
export type RunSql = (sql: string) => Promise<unknown>;

const TABLES = `
create table customers (
  id uuid primary key default gen_random_uuid(),
  email text not null unique,
  name text,
  total_spent numeric(12, 2) not null default 0,
  visits int8 not null default 0,
  vip boolean not null default false,
  payments jsonb not null default '[]',
  tags text[],
  born date,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
create table shop (
  id int4 primary key,
  name text not null,
  currency char(3) not null,
  settings jsonb,
  rate numeric,
  updated_at timestamptz not null default now()
);
grant all on customers, shop to service_role;
`;

const SHOP = `
insert into shop values (1, 'Marlow Lamps', 'EUR',
  '{"open": true, "shipping": {"free_from": 50.00, "zones": ["EU", "CH"]}, "motd": null}', 0.081, '2026-03-01 09:00:00.25+00');
`;

/** The same rows for the same number of customers, whatever the machine. Some times have microseconds, most have not. */
export async function fillStorefront(
  run: RunSql,
  { customers = 300 }: StorefrontOptions = {},
): Promise<void> {
  await run(TABLES);
  await run(SHOP);
  await run(rowsOf(1, customers));
}

/** Statement that adds customers from one number to another. */
export function rowsOf(first: number, last: number): string {
  return `
insert into customers
select
  md5('customer ' || n)::uuid,
  'customer' || n || '@storefront.example',
  case when n % 11 = 0 then null else 'Customer ' || n || case when n % 7 = 0 then ' – Zoë' else '' end end,
  (n * 37 % 100000) / 100.0,
  case when n % 50 = 0 then 9007199254740993 + n else n % 40 end,
  n % 9 = 0,
  coalesce((select jsonb_agg(jsonb_build_object(
      'id', 'pay_' || n || '_' || p, 'cents', n * p, 'rate', trim_scale(n % 10 / 8.0), 'paid', p % 2 = 0,
      'card', case when p = 1 then null else jsonb_build_object('last4', lpad((n * p % 10000)::text, 4, '0')) end))
    from generate_series(1, n % 4) p), '[]'),
  case when n % 5 = 0 then array['new', 'a "quoted" tag', 'comma, tag'] when n % 3 = 0 then '{}' end,
  case when n % 2 = 0 then date '1960-01-01' + n % 20000 end,
  timestamptz '2025-01-01 08:00:00+00' + n * interval '7 minutes',
  timestamptz '2026-01-01 08:00:00+00' + n * interval '1 minute' + case when n % 10 = 0 then interval '123456 microseconds' else interval '250 milliseconds' end
from generate_series(${first}, ${last}) n;
`;
}
