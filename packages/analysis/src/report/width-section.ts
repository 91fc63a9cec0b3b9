import { formatCount } from './format-number.js';
import { type Html, html } from './html.js';
import { htmlTable, legend, part } from './report-parts.js';
import { widthProfile } from './width-profile.js';
import type { KeptGroup, WidthRow, Widths } from './widths.js';

const openRows = 24;

/** The widths before and after: a profile of the whole network, a row for each group, and what was left and why. */
export function widthSection(widths: Widths | null): Html | null {
  if (!widths) return null;
  const { groups, kept } = widths;
  const [before, after] = (['before', 'after'] as const).map((when) =>
    groups.reduce((sum, { units }) => sum + units[when], 0),
  ) as [number, number];
  const hint = html`Units (channels, heads, neurons) that can only be removed together, by the layer that makes them. ${formatCount(before - after)} of ${formatCount(before)} units in ${groups.length} groups are gone. Weights and multiply-accumulates are those of the layers that make the units.`;
  const rows = groups.map(rowOf);
  return part('Widths', hint, [
    legend([
      { colour: 'before', label: 'before' },
      { colour: 'after', label: 'after' },
    ]),
    html`<figure class="profile">${widthProfile(groups)}<figcaption>Width of every group in the order of the network.</figcaption></figure>`,
    table(rows.slice(0, openRows)),
    rows.length > openRows
      ? html`<details><summary>${rows.length - openRows} more groups</summary>${table(rows.slice(openRows))}</details>`
      : html``,
    keptTable(kept),
  ]);
}

const table = (rows: readonly (readonly (string | Html)[])[]): Html =>
  html`<div class="compact">${htmlTable(
    [
      { title: 'group' },
      { title: 'left', kind: 'bar' },
      { title: 'before', kind: 'number' },
      { title: 'after', kind: 'number' },
      { title: 'gone', kind: 'number' },
      { title: 'weights', kind: 'extra-number' },
      { title: 'MACs', kind: 'extra-number' },
    ],
    rows,
  )}</div>`;

function rowOf(row: WidthRow): readonly (string | Html)[] {
  const { units, parameters, macs } = row;
  return [
    html`<span title="${row.group}">${nameOf(row)}</span> <span class="op">${factsOf(row)}</span>`,
    shareBar(units.after / units.before),
    countOf(units.before, row),
    countOf(units.after, row),
    `${(100 * (1 - units.after / units.before)).toFixed(0)} %`,
    change(parameters),
    change(macs),
  ];
}

/** Exporters put the op at the end of a node's name; it stands beside it anyway. */
const nameOf = ({ node, op, group }: WidthRow): string => {
  const name = node ?? group;
  return op !== null && name.endsWith(`/${op}`) ? name.slice(0, -op.length - 1) : name;
};

const kinds = { channel: '', head: 'heads', 'head-dimension': 'places of all heads' } as const;

function factsOf({ op, unit, layers }: WidthRow): string {
  return [op ?? '', kinds[unit], layers > 1 ? `with ${layers - 1} more ${layers === 2 ? 'layer' : 'layers'}` : '']
    .filter(Boolean)
    .join(', ');
}

const countOf = (count: number, { each }: WidthRow): string => (each > 1 ? `${count}\u00d7${each}` : `${count}`);

const change = ({ before, after }: WidthRow['macs']): string =>
  before === null || after === null ? '\u2013' : `${formatCount(before)} \u2192 ${formatCount(after)}`;

/** The remaining share, as a bar. */
const shareBar = (share: number): Html =>
  html`<span class="track full" aria-hidden="true"><span class="fill" style="width:${Math.round(1000 * share) / 10}%"></span></span>`;

function keptTable(kept: readonly KeptGroup[]): Html {
  if (kept.length === 0) return html``;
  const rows = kept.map(({ group, units, reason }) => [group, String(units), reason]);
  const columns = [{ title: 'group' }, { title: 'units', kind: 'number' as const }, { title: 'why' }];
  return html`<details${kept.length <= 12 ? html` open` : ''}><summary>${kept.length === 1 ? 'One group' : `${kept.length} groups`} lost nothing</summary>${htmlTable(columns, rows)}</details>`;
}
