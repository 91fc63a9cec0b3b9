import type { CompressReport } from './compress-report.js';
import { type Html, html } from './html.js';
import { htmlTable, legend, part } from './report-parts.js';

const groups = [
  { key: 'quantized', colour: 'after', label: 'integer kernels' },
  { key: 'float', colour: 'fair', label: 'float kernels' },
  { key: 'conversion', colour: 'bad', label: 'conversions between the two' },
  { key: 'other', colour: 'other', label: 'shapes and indices' },
] as const;

const mostRows = 200;

/** Which kernels the runtime will run, and which layers stayed float and why. */
export function coverageSection({ coverage }: CompressReport): Html | null {
  if (!coverage) return null;
  const counts = {
    quantized: coverage.quantizedOps,
    float: coverage.floatOps,
    conversion: coverage.conversions,
    other: coverage.otherOps,
  };
  const total = Math.max(1, counts.quantized + counts.float + counts.conversion + counts.other);
  const slices = groups.map(
    ({ key, colour }) =>
      html`<i style="width:${Math.round((1000 * counts[key]) / total) / 10}%;background:var(--${colour})"></i>`,
  );
  const rows = groups
    .filter(({ key }) => counts[key] > 0)
    .map(({ key, label }) => [label, String(counts[key]), list(coverage.ops[key])]);
  return part(
    'Kernels',
    'What the graph becomes when the runtime has fused it: which nodes compute on integers, which on real numbers.',
    [
      html`<div class="stack" role="img" aria-label="${groups.map(({ key, label }) => `${counts[key]} ${label}`).join(', ')}">${slices}</div>`,
      legend(groups),
      htmlTable([{ title: 'group' }, { title: 'nodes', kind: 'number' }, { title: 'ops' }], rows),
      stayedFloat(coverage.stayedFloat),
    ],
  );
}

const list = (ops: Readonly<Record<string, number>>): string =>
  Object.entries(ops)
    .map(([op, count]) => `${op} \u00d7 ${count}`)
    .join(', ');

function stayedFloat(nodes: NonNullable<CompressReport['coverage']>['stayedFloat']): Html {
  if (nodes.length === 0) return html``;
  const rows = nodes
    .slice(0, mostRows)
    .map(({ node, op, reason }) => [node, html`<span class="op">${op}</span>`, reason]);
  const more =
    nodes.length > mostRows ? html`<p class="hint">And ${nodes.length - mostRows} more, in report.json.</p>` : html``;
  return html`<details${nodes.length <= 12 ? html` open` : ''}><summary>${nodes.length === 1 ? 'One node' : `${nodes.length} nodes`} stayed float</summary>${htmlTable([{ title: 'node' }, { title: 'op' }, { title: 'why' }], rows)}${more}</details>`;
}
