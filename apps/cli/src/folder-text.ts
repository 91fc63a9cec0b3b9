import type { FolderReport, WrittenForm } from '@espalier/recipe';
import { bytesText, dbText, ratioText } from './number-text.js';
import { textTable } from './text-table.js';

/** The files of a written folder, and the forms that were left out with their reasons. */
export function folderText({ folder, forms, leftOut, skipped, copied, warnings }: FolderReport): string {
  const columns = ['dtype', 'file', 'size', 'latency', 'SNR', 'warnings'];
  return [
    textTable(columns, forms.map(rowOf)),
    '',
    `written to ${folder}${copied.length > 0 ? `, with ${copied.join(', ')}` : ''}`,
    ...leftOut.map(({ dtype, reason }) => `not written: ${dtype}: ${reason}`),
    ...skipped.map(({ path, reason }) => `not read: ${path}: ${reason}`),
    ...warnings.map((warning) => `warning: ${warning}`),
    ...forms.flatMap(({ dtype, model, report }) =>
      report.warnings.map((warning) => `warning (${dtype} ${model}): ${warning}`),
    ),
  ].join('\n');
}

const rowOf = ({ dtype, report: { output, latency, comparison, warnings } }: WrittenForm): readonly string[] => {
  const decibels = (comparison?.outputs ?? []).map(({ snrDb }) => snrDb);
  return [
    dtype,
    output.path,
    bytesText(output.bytes),
    latency ? ratioText(latency.ratio) : '?',
    decibels.length > 0 ? dbText(Math.min(...decibels)) : '?',
    String(warnings.length),
  ];
};
