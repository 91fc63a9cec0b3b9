import type { Inspection } from '@espalier/analysis';
import { axisRulesOf } from '@espalier/ops';
import { groupTable } from '@espalier/pruners';
import { openModel } from '@espalier/recipe';
import { type SharedFlags, withSharedFlags } from '../flags.js';
import { groupText } from '../group-text.js';
import { type InputFlags, inputRequestOf, withInputFlags } from '../input-flags.js';
import { inspectAtSizes } from '../inspect-at-sizes.js';
import { bytesText, countText, shortText } from '../number-text.js';
import { factTable, textTable } from '../text-table.js';
import { withWorkbench } from '../workbench.js';
import type { Verb } from './verb.js';

/** `espalier inspect MODEL`: what a model is made of and what it costs. */
export const inspect: Verb = (command, surroundings) =>
  void withInputFlags(withSharedFlags(command))
    .option('--layers', 'list every layer, not only the ten with most parameters; with --groups every group')
    .option('--groups', 'list groups of channels, heads and neurons that are removed together')
    .action((model: string, flags: SharedFlags & InputFlags & { readonly layers?: true; readonly groups?: true }) =>
      withWorkbench(flags, surroundings, {
        async work({ registry, files, progress, answer }) {
          progress.show('read');
          const { graph, format, bytes } = await openModel(registry, files, model);
          const request = await inputRequestOf(flags, files);
          const options = { format, bytes, rules: axisRulesOf(registry) };
          const inspection = await inspectAtSizes(graph, request, options);
          if (flags.groups) {
            const table = groupTable(graph, { rules: options.rules, parameters: inspection.parameters });
            const all = flags.layers ? Number.POSITIVE_INFINITY : undefined;
            answer({ ...inspection, groups: table.groups, prunableParameters: table.parameters }, () =>
              groupText(table, all),
            );
            return;
          }
          answer(inspection, () => inspectionText(inspection, flags.layers ? Number.POSITIVE_INFINITY : 10));
        },
      }),
    );

function macsText({ macs, leastMacs, knownMacs, unknown }: Inspection): string {
  if (macs === null || leastMacs === null) return `${countText(knownMacs)} known, ${unknown.length} nodes unknown`;
  return leastMacs < macs ? `${countText(leastMacs)} to ${countText(macs)}` : countText(macs);
}

function inspectionText(of: Inspection, most: number): string {
  const port = (ports: Inspection['inputs']) =>
    ports.map(({ name, dtype, shape }) => `${name}: ${dtype ?? '?'}[${shape?.join(',') ?? '...'}]`).join(', ');
  const sizes = Object.entries(of.sizes)
    .map(([name, size]) => `${name} = ${size}`)
    .join(', ');
  const facts = factTable([
    ['format', `${of.format}, opset ${of.opset}${of.producer ? `, by ${of.producer}` : ''}`],
    ['inputs', port(of.inputs)],
    ['outputs', port(of.outputs)],
    ['nodes', countText(of.nodes)],
    [
      'parameters',
      `${countText(of.parameters)}${of.nonZero < of.parameters ? ` (${countText(of.nonZero)} not zero)` : ''}`,
    ],
    ['bytes', bytesText(of.bytes)],
    ['MACs', macsText(of)],
    ['activations', `${bytesText(of.activations.peakBytes)} at the peak`],
    ...(sizes ? [['sizes', `MACs and activations are those at ${sizes}`] as const] : []),
    [
      'ops',
      Object.entries(of.ops)
        .map(([op, count]) => `${op} ${count}`)
        .join(', '),
    ],
  ]);
  const layers = [...of.layers].sort((a, b) => b.parameters - a.parameters).slice(0, most);
  const shown = new Set(layers);
  const rows = of.layers
    .filter((layer) => shown.has(layer))
    .map((layer) => [
      shortText(layer.node),
      layer.op,
      layer.weightShape?.join('x') ?? '',
      countText(layer.parameters),
      countText(layer.macs),
      layer.weightBits === null ? '' : String(layer.weightBits),
    ]);
  const rest = of.layers.length - rows.length;
  return [
    facts,
    '',
    textTable(['layer', 'op', 'weight', 'parameters', 'MACs', 'bits'], rows),
    ...(rest > 0 ? [`and ${rest} smaller ones (--layers lists all)`] : []),
    ...of.warnings.map((warning) => `warning: ${warning}`),
  ].join('\n');
}
