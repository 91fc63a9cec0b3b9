import { type CompressReport, reportHtml } from '@espalier/analysis';
import type { Files } from '@espalier/core';

/** Writes report.json and report.html into a folder and returns their paths. */
export async function writeReport(files: Files, folder: string, report: CompressReport): Promise<readonly string[]> {
  const encode = (text: string) => [new TextEncoder().encode(text)];
  const [json, html] = [`${folder}/report.json`, `${folder}/report.html`];
  await files.write(json, encode(`${JSON.stringify(report, null, 2)}\n`));
  await files.write(html, encode(reportHtml(report)));
  return [json, html];
}
