// What a backfill is held against: reads all customers page by page, in the order of their key. Arguments: URL, key.
const [url = "", key = ""] = process.argv.slice(2);
const headers = { apikey: key, authorization: `Bearer ${key}` };
let rows = 0;
for (let last = ""; ; ) {
  const after = last === "" ? "" : `&id=gt.${last}`;
  const response = await fetch(`${url}/rest/v1/customers?select=*&order=id.asc&limit=1000${after}`, {
    headers,
  });
  if (!response.ok) throw new Error(`status ${response.status}`);
  const page = /** @type {any[]} */ (await response.json());
  if (page.length === 0) break;
  rows += page.length;
  last = page.at(-1).id;
}
console.log(rows);
