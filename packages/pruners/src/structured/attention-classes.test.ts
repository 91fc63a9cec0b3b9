import { buildGraph, floats, type Graph, int, ints, longs, noEvidence } from '@espalier/core';
import type { RelateOptions } from '@espalier/ops';
import { inferShapes } from '@espalier/ops';
import { simplify } from '@espalier/passes';
import { bertTiny, decoderTiny, vitTiny } from '@espalier/zoo';
import { describe, expect, it } from 'vitest';
import { largestDifference, randomFeeds, runOnnx } from '../../../../test/run-onnx.js';
import { magnitude } from '../magnitude.js';
import { headPruning } from '../prunings/head.js';
import { headDimensionPruning } from '../prunings/head-dimension.js';
import { coupled } from './coupled.js';
import { cut } from './cut.js';
import { maskGroups } from './mask-groups.js';

const attentionOf = (graph: Graph, options: RelateOptions) =>
  coupled(graph, options).groups.filter(({ attention, prunable }) => attention !== undefined && prunable);

async function differenceOfCut(graph: Graph, options: RelateOptions): Promise<number> {
  const removals = new Map(
    attentionOf(graph, options).map(({ id, units }) => [id, [0, units - 1].slice(0, units - 1)]),
  );
  const feeds = randomFeeds(graph, { sizes: { batch: 1 } });
  return largestDifference(
    await runOnnx(maskGroups(coupled(graph, options), removals), feeds),
    await runOnnx(cut(coupled(graph, options), removals), feeds),
  );
}

/** Tokens [n, 5, 6] through one attention of 3 heads of 4, written with two reshapes and three weights. */
function attention(scores: (b: ReturnType<typeof buildGraph>, product: string) => string): Graph {
  const b = buildGraph();
  const x = b.input('x', 'float32', ['n', 5, 6]);
  const weight = (name: string, rows: number, columns: number, seed: number) =>
    b.constant(
      name,
      floats(
        Float32Array.from({ length: rows * columns }, (_, i) => Math.sin(seed + 3 * i)),
        [rows, columns],
      ),
    );
  const split = b.constant('split', longs([0, 5, 3, 4]));
  const part = (name: string, seed: number, ...perm: number[]) =>
    b.add('Transpose', [b.add('Reshape', [b.add('MatMul', [x, weight(name, 6, 12, seed)]), split])], {
      attributes: { perm: ints(perm) },
    });
  const product = b.add('MatMul', [part('q', 1, 0, 2, 1, 3), part('k', 2, 0, 2, 3, 1)]);
  const mixed = b.add('MatMul', [scores(b, product), part('v', 3, 0, 2, 1, 3)]);
  const merged = b.add('Reshape', [
    b.add('Transpose', [mixed], { attributes: { perm: ints([0, 2, 1, 3]) } }),
    b.constant('join', longs([0, 5, 12])),
  ]);
  b.output(b.add('MatMul', [merged, weight('o', 12, 6, 4)]), 'y');
  return inferShapes(b.finish());
}

const softmax = { attributes: { axis: int(-1) } };
const plain = () =>
  attention((b, product) =>
    b.add('Softmax', [b.add('Mul', [product, b.constant('scale', floats([0.5], []))])], softmax),
  );

describe('attention', () => {
  it('is cut by heads, or by the same places of all heads: of queries and keys, and of values', async () => {
    const shown = (options: RelateOptions) =>
      attentionOf(plain(), options).map(({ units, attention: part, slices }) => {
        const values = slices.map(({ value, each }) => `${value}x${each}`).sort();
        return `${part} ${units}: ${values.join(' ')}`;
      });
    expect(shown({})).toEqual(['head 3: kx4 ox4 qx4 vx4']);
    expect(shown({ attention: 'head-dimension' })).toEqual(['head-dimension 4: kx3 qx3', 'head-dimension 4: ox3 vx3']);
    for (const kind of ['head', 'head-dimension'] as const) {
      expect(await differenceOfCut(plain(), { attention: kind })).toBeLessThan(1e-5);
    }
  });

  it('needs a softmax between two products', () => {
    const linear = attention((b, product) => b.add('Relu', [product]));
    expect(attentionOf(linear, {})).toEqual([]);
  });

  const nets = [
    ['vit', () => vitTiny(), 12, 24],
    ['bert', () => bertTiny(), 2, 4],
    ['decoder', () => decoderTiny(), 4, 8],
  ] as const;
  it.each(nets)('of the zoo is found and cut exactly: %s', { timeout: 60_000 }, async (_, make, heads, dimensions) => {
    const graph = simplify(make());
    expect(attentionOf(graph, {})).toHaveLength(heads);
    expect(attentionOf(graph, { attention: 'head-dimension' })).toHaveLength(dimensions);
    for (const kind of ['head', 'head-dimension'] as const) {
      expect(await differenceOfCut(graph, { attention: kind })).toBeLessThan(1e-4);
    }
  });

  it('is all that the prunings of heads and of their dimensions remove', () => {
    for (const pruning of [headPruning, headDimensionPruning]) {
      const { graph, notes } = pruning({ pruner: magnitude(), sparsity: 0.5, multiple: 1 })(plain()).apply(noEvidence);
      expect(notes.some(({ reason }) => reason.startsWith('It is no '))).toBe(false);
      expect(graph.constants.get('o')!.shape).toEqual([pruning === headPruning ? 4 : 6, 6]); // 2 of 3 heads, 2 of 4 places
    }
  });
});
