import { formatCount, textTable, type WidthRow, type Widths } from '@espalier/analysis';
import { shortText } from './number-text.js';

const mostRows = 20;
const blocks = 16;

/** Widths before and after as a table with bars: the groups that cost most, then what was left and why. */
export function widthText(widths: Widths | null): string {
  if (!widths) return '';
  const { groups, kept } = widths;
  const worth = ({ parameters }: WidthRow) => parameters.before - parameters.after;
  const shown = new Set([...groups].sort((a, b) => worth(b) - worth(a)).slice(0, mostRows));
  const rows = groups
    .filter((group) => shown.has(group))
    .map((row) => [
      `${shortText(nameOf(row))}${row.layers > 1 ? ` +${row.layers - 1}` : ''}`,
      barText(row.units.after / row.units.before),
      `${row.units.before}${row.each > 1 ? `\u00d7${row.each}` : ''}`,
      String(row.units.after),
      `${(100 * (1 - row.units.after / row.units.before)).toFixed(0)} %`,
      changeText(row.parameters),
      changeText(row.macs),
    ]);
  const right = 'right' as const;
  const columns = [
    { title: 'width of' },
    { title: 'left' },
    { title: 'before', align: right },
    { title: 'after', align: right },
    { title: 'gone', align: right },
    { title: 'weights', align: right },
    { title: 'MACs', align: right },
  ];
  const rest = groups.length - rows.length;
  return [
    textTable(columns, rows),
    ...(rest > 0 ? [`and ${rest} groups with fewer weights (--report lists all)`] : []),
    ...keptLines(kept),
  ].join('\n');
}

/** Exporters put the op at the end of a node's name. */
const nameOf = ({ node, op, group }: WidthRow): string =>
  node !== null && op !== null && node.endsWith(`/${op}`) ? node.slice(0, -op.length - 1) : (node ?? group);

const barText = (share: number): string => {
  const full = Math.min(blocks, Math.max(share > 0 ? 1 : 0, Math.round(share * blocks)));
  return `${'\u2588'.repeat(full)}${'\u2591'.repeat(blocks - full)}`;
};

const changeText = ({ before, after }: WidthRow['macs']): string =>
  before === null || after === null ? '?' : `${formatCount(before)} \u2192 ${formatCount(after)}`;

const mostReasons = 6;

/** Groups that lost nothing, those with the same reason in one line. */
function keptLines(kept: Widths['kept']): readonly string[] {
  if (kept.length === 0) return [];
  const byReason = new Map<string, string[]>();
  for (const { group, reason } of kept) byReason.set(reason, [...(byReason.get(reason) ?? []), group]);
  const lines = [...byReason].map(
    ([reason, ids]) =>
      `  ${shortText(ids[0]!, 40)}${ids.length > 1 ? ` and ${ids.length - 1} more` : ''}: ${shortText(reason, 110)}`,
  );
  const rest = lines.length - mostReasons;
  return [
    `${kept.length === 1 ? 'One group' : `${kept.length} groups`} lost nothing:`,
    ...lines.slice(0, mostReasons),
    ...(rest > 0 ? [`  and ${rest} more reasons (--report lists all)`] : []),
  ];
}
