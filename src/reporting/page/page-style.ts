/** How the page looks, and what its browser may do. */
import { createHash } from "node:crypto";
import { html, type Markup } from "./markup.ts";

const CSS = html`
:root {
  color-scheme: light dark;
  --back: #ffffff; --text: #1b1f24; --faint: #57606a; --line: #d0d7de; --card: #f6f8fa;
  --good: #116329; --good-back: #e6f6ea; --note: #7a4d00; --note-back: #fff4d6; --bad: #a40e26; --bad-back: #ffebe9;
}
@media (prefers-color-scheme: dark) {
  :root {
    --back: #0d1117; --text: #e6edf3; --faint: #9aa5b1; --line: #30363d; --card: #161b22;
    --good: #56d364; --good-back: #0f2a17; --note: #e3b341; --note-back: #2e2306; --bad: #ff8178; --bad-back: #34110f;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--back); color: var(--text); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 1240px; margin: 0 auto; padding: 16px; }
h1, h2, h3, p, dd, li, th, td { overflow-wrap: anywhere; }
h1 { margin: 0; font-size: 28px; line-height: 1.2; }
h2 { margin: 40px 0 12px; font-size: 20px; }
h3 { margin: 0; font: 600 15px/1.5 ui-monospace, monospace; }
header { padding: 16px 20px; border-left: 6px solid; border-radius: 6px; }
header p { margin: 4px 0 0; color: var(--text); }
.good { color: var(--good); } .note { color: var(--note); } .bad { color: var(--bad); }
header.good { background: var(--good-back); } header.note { background: var(--note-back); }
header.bad { background: var(--bad-back); }
.small { color: var(--faint); font-size: 14px; }
header .small { margin: 0; color: var(--text); }
.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 320px), 1fr)); gap: 12px 32px; margin: 24px 0 8px; }
.facts .wide { grid-column: 1 / -1; }
.facts dt { color: var(--faint); font-size: 14px; } .facts dd { margin: 0; }
table { width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums; }
caption { padding-bottom: 4px; color: var(--faint); font-size: 14px; text-align: left; }
th, td { padding: 6px 8px; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
thead th { color: var(--faint); font-size: 14px; font-weight: 600; vertical-align: bottom; }
tbody th { font-weight: 400; } tfoot th, tfoot td { font-weight: 600; border-bottom: 0; }
.right { text-align: right; overflow-wrap: normal; }
.scroll { overflow-x: auto; }
.cards { font-size: 14px; }
.word { white-space: nowrap; }
.cards tbody .left { min-width: 120px; } .cards .left:first-child { min-width: 180px; }
.cards thead th { overflow-wrap: normal; }
article { margin: 12px 0; padding: 10px 14px; border: 1px solid var(--line); border-radius: 6px; background: var(--card); }
article p { margin: 2px 0; }
.fields { margin-top: 6px; table-layout: fixed; font-size: 14px; }
.fields th, .fields td { padding: 4px 8px 4px 0; } .fields tr:last-child > * { border-bottom: 0; }
.fields tbody th, code { font: 14px/1.5 ui-monospace, monospace; }
.mark { display: inline-block; padding: 0 8px; border: 1px solid var(--line); border-radius: 10px; color: var(--faint); font-size: 14px; }
.legend { display: flex; flex-wrap: wrap; gap: 4px 20px; margin: 0; padding: 0; list-style: none; color: var(--faint); font-size: 14px; }
.chart { display: block; max-width: 100%; margin-bottom: 12px; }
.chart rect { fill: currentColor; }
@media screen and (max-width: 960px) {
  .cards, .cards tbody, .cards tfoot { display: block; }
  .cards thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  .cards caption { display: block; }
  .cards tr { display: block; margin: 0 0 12px; padding: 8px 12px; border: 1px solid var(--line); border-radius: 6px; background: var(--card); }
  .cards { font-size: 15px; }
  .cards th { display: block; padding: 0 0 4px; border-bottom: 1px solid var(--line); font-weight: 600; }
  .cards td { display: flex; justify-content: space-between; gap: 16px; padding: 2px 0; border: 0; text-align: right; }
  .cards td::before { content: attr(data-label); flex: none; color: var(--faint); text-align: left; }
  .cards td.empty { display: none; }
}
@media print {
  :root {
    --back: #ffffff; --text: #000000; --faint: #444444; --line: #999999; --card: #ffffff;
    --good: #0b4a1e; --good-back: #ffffff; --note: #5c3a00; --note-back: #ffffff; --bad: #800a1d; --bad-back: #ffffff;
  }
  main { max-width: none; padding: 0; } body { font-size: 12px; }
  .scroll { overflow: visible; } .cards { font-size: 9px; } .cards th, .cards td { padding: 2px 3px; }
  .cards .left:first-child { min-width: 0; } .word { white-space: normal; overflow-wrap: normal; }
  .cards thead th, .cards caption { font-size: inherit; }
  /* Else it would stand at the end of every page, and look like the sum of it. */
  .cards tfoot { display: table-row-group; }
  article, tr { break-inside: avoid; } h2, h3 { break-after: avoid; }
}
`;

/** The style with its element. */
export const PAGE_STYLE: Markup = html`<style>${CSS}</style>`;

/** Nothing may be loaded, sent or run; this one style may be used. */
export const PAGE_POLICY = `default-src 'none'; style-src 'sha256-${createHash("sha256").update(CSS.text).digest("base64")}'; base-uri 'none'; form-action 'none'`;
