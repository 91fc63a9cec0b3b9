import { type Graph, int, intOf, text } from '@espalier/core';
import { describe, expect, it } from 'vitest';
import { maskedThenCut, netBuilder, shownGroups } from '../../../../test/masked-then-cut.js';
import { coupled } from './coupled.js';

/** x [2, 5, 8] -> MatMul w -> the body -> MatMul v -> y. */
function between(body: (b: ReturnType<typeof netBuilder>, x: string) => string, width = 6, opset = 17): Graph {
  const b = netBuilder(opset);
  const x = b.add('MatMul', [b.input('x', 'float32', [2, 5, 8]), b.weight('w', 8, width)]);
  const y = body(b, x);
  b.output(b.add('MatMul', [y, b.weight('v', width, 3)]), 'y');
  return b.made();
}

describe('fused ops of onnxruntime', () => {
  it('takes biases and activations with a unit', async () => {
    for (const [op, biased] of [
      ['BiasGelu', true],
      ['FastGelu', true],
      ['Gelu', false],
      ['QuickGelu', false],
    ] as const) {
      const graph = between((b, x) => b.add(`com.microsoft::${op}`, [x, ...(biased ? [b.weight('bias', 6)] : [])]));
      expect(shownGroups(graph)).toEqual([`w/1: 6 of ${biased ? 'bias/0, ' : ''}v/0, w/1`]);
      expect((await maskedThenCut(graph)).difference).toBeLessThan(1e-5);
    }
  });

  it('cuts both ends of fused matrix products', async () => {
    const graph = between((b, x) =>
      b.add('com.microsoft::FusedMatMul', [x, b.weight('m', 6, 6)], { attributes: { transB: int(1) } }),
    );
    expect(shownGroups(graph)).toEqual(['w/1: 6 of m/1, w/1', 'm/0: 6 of m/0, v/0']);
    expect((await maskedThenCut(graph)).difference).toBeLessThan(1e-5);
  });

  it('carries what the activation of a fused convolution makes of zero into the next bias', async () => {
    for (const activation of ['Relu', 'Sigmoid']) {
      const b = netBuilder();
      const inputs = [b.input('x', 'float32', [1, 3, 4, 4]), b.weight('w', 6, 3, 1, 1), b.weight('c', 6)];
      const x = b.add('com.microsoft::FusedConv', inputs, { attributes: { activation: text(activation) } });
      b.output(b.add('Conv', [x, b.weight('v', 2, 6, 1, 1)]), 'y');
      const { difference, changed } = await maskedThenCut(b.made(), { removals: new Map([['w/0', [0, 1, 3]]]) });
      expect(difference).toBeLessThan(1e-5);
      expect(changed).toBeGreaterThan(1e-3);
    }
  });

  it('marks what skip and embedding layer norms go over', () => {
    const skip = between((b, x) =>
      b.add('com.microsoft::SkipLayerNormalization', [x, b.add('MatMul', [x, b.weight('m', 6, 6)]), b.weight('s', 6)]),
    );
    expect(coupled(skip).groups.find(({ id }) => id === 'w/1')).toMatchObject({
      prunable: true,
      changesStatistics: true,
    });
    const b = netBuilder();
    const ids = ['ids', 'segments'].map((name) => b.input(name, 'int32', [2, 5]));
    const tables = [b.weight('words', 9, 6), b.weight('places', 5, 6), b.weight('kinds', 2, 6)];
    const norm = [b.weight('gamma', 6), b.weight('beta', 6)];
    const [x] = b.addAll('com.microsoft::EmbedLayerNormalization', [...ids, ...tables, ...norm], { outputs: 2 });
    b.output(b.add('MatMul', [x!, b.weight('v', 6, 3)]), 'y');
    const [group] = coupled(b.made()).groups.filter(({ prunable }) => prunable);
    expect(group).toMatchObject({ id: 'words/1', units: 6, changesStatistics: true });
    expect(group!.slices.map(({ value }) => value).sort()).toEqual(['beta', 'gamma', 'kinds', 'places', 'v', 'words']);
  });

  it('removes whole groups of a group norm, which leaves the others as they are', async () => {
    const b = netBuilder(21);
    const x = b.add('Conv', [b.input('x', 'float32', [1, 3, 4, 4]), b.weight('w', 8, 3, 1, 1)]);
    const inputs = [x, b.weight('s', 8), b.weight('t', 8)];
    const normed = b.add('GroupNormalization', inputs, { attributes: { num_groups: int(4) } });
    b.output(b.add('Conv', [b.add('Relu', [normed]), b.weight('v', 2, 8, 1, 1)]), 'y');
    const graph = b.made();
    expect(shownGroups(graph)).toEqual(['w/0: 4 of s/0 x2, t/0 x2, v/1 x2, w/0 x2']);
    const { difference, small } = await maskedThenCut(graph);
    expect(difference).toBeLessThan(1e-5);
    expect(intOf(small.nodes.find(({ op }) => op === 'GroupNormalization')!, 'num_groups', 0)).toBe(3);
  });
});
