import { editGraph, type Graph } from '@espalier/core';
import { createOnnxRuntime } from '@espalier/onnxruntime';
import { inferShapes } from '@espalier/ops';
import { removeDeadNodes } from '@espalier/passes';
import { coupled } from '@espalier/pruners';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { randomFeeds } from '../../../test/run-onnx.js';
import { randomNet } from '../../pruners/test/random-net.js';
import { blockModel, optionsOf } from '../test/joint-run.js';
import { quantizedStart } from './quantized-start.js';
import { quantizersOf } from './quantizers-of.js';

const executor = createOnnxRuntime({ threads: 1 });
afterAll(() => executor.close());

/** The groups as texts: slices of weights with the indices of each unit, without those of quantizer parameters. */
function groupsIn(graph: Graph, hidden: ReadonlySet<string> = new Set()): readonly string[] {
  return coupled(graph)
    .groups.flatMap(({ units, slices, prunable, changesStatistics }) => {
      const shown = slices.filter(({ value }) => !hidden.has(value));
      const texts = shown.map(({ value, axis, each, indices, role }) => `${value}/${axis} ${each} ${role} ${indices}`);
      return shown.length === 0
        ? []
        : [`${units} ${prunable} ${changesStatistics ?? false}: ${texts.sort().join('; ')}`];
    })
    .sort();
}

/** The groups of a graph with quantizers, and of the same graph without them. */
async function bothGroups(graph: Graph, seed = 1) {
  async function* batches() {
    yield randomFeeds(graph, { seed });
  }
  const quantized = await quantizedStart(graph, optionsOf(), { executor, batches });
  const quantizers = quantizersOf(quantized);
  const draft = editGraph(quantized);
  for (const node of quantized.nodes) {
    if (!node.op.startsWith('espalier::')) continue;
    draft.replace(node.id);
    draft.redirect(node.outputs[0]!, node.inputs[0]!); // every quantizer has both
  }
  const bare = removeDeadNodes(draft.finish());
  const hidden = new Set([...quantized.constants.keys()].filter((value) => !bare.constants.has(value)));
  return { quantized, quantizers, own: groupsIn(quantized, hidden), float: groupsIn(inferShapes(bare)) };
}

describe('the dependency graph of a quantized network', () => {
  test('has the groups of the float network, with steps and limits of channels among their slices', async () => {
    const { own, float, quantized, quantizers } = await bothGroups(blockModel());
    expect(own).toEqual(float);
    expect(quantizers.filter(({ weight }) => weight !== undefined)).toHaveLength(4);
    const inner = coupled(quantized).groups.find(({ id }) => id === 'inner.weight/0')!;
    expect(inner.slices.map(({ value }) => value)).toEqual(
      expect.arrayContaining(['inner.weight_step', 'inner.weight_limit']),
    );
  });

  test('has the groups of the float network, whatever the network is', { timeout: 300_000 }, async () => {
    let found = 0;
    await fc.assert(
      fc.asyncProperty(fc.nat(1_000_000), async (seed) => {
        const { own, float, quantizers } = await bothGroups(randomNet(seed), seed);
        found += quantizers.length;
        expect(own).toEqual(float);
      }),
      { numRuns: Number(process.env['ESPALIER_NETS'] ?? 40), seed: 6 },
    );
    expect(found).toBeGreaterThan(100);
  });
});
