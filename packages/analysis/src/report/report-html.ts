import type { CompressReport, ReportFile } from './compress-report.js';
import { coverageSection } from './coverage-section.js';
import { formatBytes } from './format-number.js';
import { headlineCards, headlineTable } from './headline.js';
import { html } from './html.js';
import { htmlPage } from './html-page.js';
import { histogramSection, sizeSection, snrSection } from './layer-sections.js';
import { outcomeOf } from './outcome-of.js';
import { runSection, warningSection } from './run-section.js';
import { widthSection } from './width-section.js';

/**
 * A report as one HTML file: no script, no request, light and dark, readable on a phone and by a screen reader.
 * Every name that comes from a model or a file is escaped.
 */
export function reportHtml(report: CompressReport): string {
  const title = `${baseName(report.input.path)} \u2192 ${baseName(report.output.path)}`;
  return htmlPage(title, [
    html`<header><h1>${title}</h1><p>${fileLine(report.input)} became ${fileLine(report.output)}.</p><p><b>${outcomeOf(report)}</b></p></header>`,
    headlineCards(report),
    warningSection(report),
    headlineTable(report),
    widthSection(report.widths),
    snrSection(report),
    histogramSection(report),
    sizeSection(report),
    coverageSection(report),
    runSection(report),
    html`<footer>Made by Espalier. The same figures stand in report.json.</footer>`,
  ]);
}

const baseName = (path: string): string => path.split(/[/\\]/).at(-1) || path;

const fileLine = ({ path, format, bytes, sha256 }: ReportFile): string =>
  `${baseName(path)} (${format}, ${formatBytes(bytes)}${sha256 ? `, sha256 ${sha256.slice(0, 12)}` : ''})`;
