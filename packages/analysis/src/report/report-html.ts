import type { CompressReport, ReportFile } from './compress-report.js';
import { coverageSection } from './coverage-section.js';
import { formatBytes } from './format-number.js';
import { headlineCards, headlineTable } from './headline.js';
import { type Html, html } from './html.js';
import { histogramSection, sizeSection, snrSection } from './layer-sections.js';
import { runSection, warningSection } from './run-section.js';
import { reportStyle } from './style.js';

// Nothing is fetched and nothing runs: even a mistake in escaping could not load or execute anything.
const policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'";

/**
 * A report as one HTML file: no script, no request, light and dark, readable on a phone and by a screen reader.
 * Every name that comes from a model or a file is escaped.
 */
export function reportHtml(report: CompressReport): string {
  const style: Html = { markup: reportStyle }; // our own constant
  const title = `${baseName(report.input.path)} \u2192 ${baseName(report.output.path)}`;
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<title>${title} \u00b7 Espalier</title>
<style>${style}</style>
</head>
<body>
<main>
<header><h1>${title}</h1><p>${fileLine(report.input)} became ${fileLine(report.output)}.</p></header>
${headlineCards(report)}
${warningSection(report)}
${headlineTable(report)}
${snrSection(report)}
${histogramSection(report)}
${sizeSection(report)}
${coverageSection(report)}
${runSection(report)}
<footer>Made by Espalier. The same figures stand in report.json.</footer>
</main>
</body>
</html>
`.markup;
}

const baseName = (path: string): string => path.split(/[/\\]/).at(-1) || path;

const fileLine = ({ path, format, bytes, sha256 }: ReportFile): string =>
  `${baseName(path)} (${format}, ${formatBytes(bytes)}${sha256 ? `, sha256 ${sha256.slice(0, 12)}` : ''})`;
