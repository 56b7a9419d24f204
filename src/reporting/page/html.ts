import type { DiffReport } from "../../model/reporter.ts";
import type { Redactor } from "../../redact/redact.ts";
import { cleaned, cleanText } from "../text/clean.ts";
import { html, type Markup } from "./markup.ts";
import { collectionTable } from "./page-collections.ts";
import { differenceSection } from "./page-differences.ts";
import { facts } from "./page-facts.ts";
import { historySection } from "./page-history.ts";
import { name, shown } from "./page-name.ts";
import { pageOutcome } from "./page-outcome.ts";
import { PAGE_POLICY, PAGE_STYLE } from "./page-style.ts";

/**
 * The result of a comparison as one page of HTML that needs nothing else: no script, no network, no other file. Secrets
 * are taken out here, and no text of the report can become markup.
 */
export function diffPage(report: DiffReport, redactor: Redactor): string {
  return `<!doctype html>\n${page(cleaned(report, cleanText(redactor))).text}`;
}

function page(report: DiffReport): Markup {
  const { tone, sign, word } = pageOutcome(report.exitCode);
  return html`<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${PAGE_POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="robots" content="noindex">
<title>${word}: ${shown(report.source)} and ${shown(report.target)} - dualsync</title>
${PAGE_STYLE}
</head>
<body>
<main>
<header class="${tone}">
<p class="small">dualsync ${name(report.command)}</p>
<h1><span class="sign">${sign}</span> ${word}</h1>
<p>${name(report.verdict)}</p>
</header>
${facts(report)}<section>
<h2>Collections</h2>
${collectionTable(report.collections)}</section>
${differenceSection(report)}${notCompared(report)}${historySection(report)}</main>
</body>
</html>
`;
}

/** What nobody chose comes first. */
function notCompared(report: DiffReport): Markup | undefined {
  if (report.notCompared.length === 0) return undefined;
  const sorted = [
    ...report.notCompared.filter(({ chosen }) => !chosen),
    ...report.notCompared.filter(({ chosen }) => chosen),
  ];
  const items = sorted.map((item) => {
    const mark = item.chosen ? html` <span class="mark">your choice</span>` : undefined;
    return html`<li><b>${name(item.name)}</b>: ${name(item.reason)}${mark}</li>\n`;
  });
  return html`<section>
<h2>Not compared</h2>
<ul>
${items}</ul>
</section>
`;
}
