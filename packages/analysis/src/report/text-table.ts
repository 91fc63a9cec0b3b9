import { safeText } from './safe-text.js';

/** One column of a table: numbers stand to the right. */
export interface TextColumn {
  readonly title: string;
  readonly align?: 'left' | 'right';
}

/**
 * A table in plain text with aligned columns, a line under the titles, and no line longer than it must be. Names
 * from models lose whatever could steer a terminal.
 *
 *     textTable([{ title: 'layer' }, { title: 'MACs', align: 'right' }], [['conv', '442 k'], ['fc', '160']])
 */
export function textTable(columns: readonly TextColumn[], rows: readonly (readonly (string | number)[])[]): string {
  const cells = rows.map((row) => columns.map((_, i) => clean(row[i] ?? '')));
  const titles = columns.map(({ title }) => clean(title));
  const widths = titles.map((title, i) =>
    cells.reduce((width, row) => Math.max(width, lengthOf(row[i]!)), lengthOf(title)),
  );
  const line = (row: readonly string[]) =>
    row
      .map((text, i) => pad(text, widths[i]!, columns[i]!.align))
      .join('  ')
      .trimEnd();
  return [line(titles), line(widths.map((width) => '\u2500'.repeat(width))), ...cells.map(line)].join('\n');
}

const clean = (cell: string | number): string => safeText(String(cell)).replaceAll(/\s+/g, ' ');

const lengthOf = (text: string): number => [...text].length;

function pad(text: string, width: number, align: TextColumn['align'] = 'left'): string {
  const space = ' '.repeat(width - lengthOf(text));
  return align === 'right' ? space + text : text + space;
}
