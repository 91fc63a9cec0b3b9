import { formatCount, textTable } from '@espalier/analysis';
import type { GroupRow, GroupTable } from '@espalier/pruners';
import { shortText } from './number-text.js';

const mostRows = 60;

/** Groups as two tables: what can be removed together, and what cannot go and why. */
export function groupText(
  { groups, parameters: { all, prunable, withStatistics } }: GroupTable,
  most = mostRows,
): string {
  const exact = groups.filter((group) => group.prunable && !group.changesStatistics);
  const trained = groups.filter((group) => group.prunable && group.changesStatistics);
  const fixed = groups.filter((group) => !group.prunable);
  const share = (count: number) => `${((100 * count) / Math.max(1, all)).toFixed(1)} %`;
  const head = [
    `${exact.length} of ${groups.length} groups can lose units; they hold ${share(prunable)} of ${formatCount(all)} parameters`,
    ...(trained.length > 0
      ? [`${trained.length} more after which to train (\`statistics\`), ${share(withStatistics)} in all`]
      : []),
  ];
  return [head.join('\n'), removable([...exact, ...trained], most), left(fixed, most)].filter(Boolean).join('\n\n');
}

function removable(groups: readonly GroupRow[], most: number): string {
  if (groups.length === 0) return '';
  const worth = (group: GroupRow) => group.units * group.parametersPerUnit;
  const shown = new Set([...groups].sort((a, b) => worth(b) - worth(a)).slice(0, most));
  const rows = groups
    .filter((group) => shown.has(group))
    .map(({ id, units, parametersPerUnit, members, changesStatistics }) => [
      shortText(id),
      String(units),
      formatCount(parametersPerUnit),
      changesStatistics ? 'after training' : 'yes',
      membersText(members),
    ]);
  const columns = [
    { title: 'group' },
    { title: 'units', align: 'right' as const },
    { title: 'each', align: 'right' as const },
    { title: 'removable' },
    { title: 'members' },
  ];
  return [textTable(columns, rows), ...more(groups.length - rows.length)].join('\n');
}

function left(groups: readonly GroupRow[], most: number): string {
  if (groups.length === 0) return '';
  const rows = groups
    .slice(0, most)
    .map(({ id, units, reason }) => [shortText(id), String(units), reason ?? 'for a reason that is not known']);
  const columns = [{ title: 'cannot lose units' }, { title: 'units', align: 'right' as const }, { title: 'because' }];
  return [textTable(columns, rows), ...more(groups.length - rows.length)].join('\n');
}

const more = (count: number): readonly string[] =>
  count > 0 ? [`and ${count} more (--layers lists all, --json has every member)`] : [];

const mostMembers = 4;

function membersText(members: GroupRow['members']): string {
  const named = members
    .slice(0, mostMembers)
    .map(({ value, axis, each }) => `${shortText(value, 28)}/${axis}${each > 1 ? `\u00d7${each}` : ''}`);
  const rest = members.length - named.length;
  return `${named.join(' ')}${rest > 0 ? ` and ${rest} more` : ''}`;
}
