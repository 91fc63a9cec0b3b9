import { textTable as columnTable, safeText } from '@espalier/analysis';

/** Aligned columns: the first to the left, the others to the right; a rule under the head. */
export const textTable = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  columnTable(
    head.map((title, column) => ({ title, align: column === 0 ? ('left' as const) : ('right' as const) })),
    rows,
  );

/** Two columns, names and values. */
export function factTable(facts: readonly (readonly [string, string])[]): string {
  const width = Math.max(...facts.map(([name]) => name.length));
  return facts.map(([name, value]) => `${name.padEnd(width)}  ${safeText(value)}`.trimEnd()).join('\n');
}
