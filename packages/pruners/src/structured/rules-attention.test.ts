import { float, type Graph, int, intOf, ints, intsOf, longs, tensor } from '@espalier/core';
import { describe, expect, it } from 'vitest';
import { exactGroups, maskedThenCut, netBuilder, shownGroups, waves } from '../../../../test/masked-then-cut.js';
import { randomFeeds } from '../../../../test/run-onnx.js';

const node = (graph: Graph, op: string) => graph.nodes.find((each) => each.op === op)!;

async function expectExact(graph: Graph, feeds = randomFeeds(graph)): Promise<Graph> {
  const { difference, changed, small } = await maskedThenCut(graph, { feeds });
  expect(difference).toBeLessThan(1e-5);
  expect(changed).toBeGreaterThan(1e-3);
  return small;
}

/** Tokens [2, 6, 8] through projections `q`, `k`, `v` into heads of `size`. */
function projected(b: ReturnType<typeof netBuilder>, heads: readonly [number, number, number], size = 4) {
  const x = b.input('x', 'float32', [2, 6, 8]);
  return ['q', 'k', 'v'].map((name, i) =>
    b.add('MatMul', [x, b.weight(name, 8, size * heads[i]!)], { name: `${name}y` }),
  );
}

describe('attention as one node', () => {
  it('loses heads of com.microsoft::Attention, from all parts of its one matrix', async () => {
    const b = netBuilder();
    const inputs = [b.input('x', 'float32', [2, 6, 8]), b.weight('w', 8, 36), b.weight('bias', 36)];
    const y = b.add('com.microsoft::Attention', inputs, { attributes: { num_heads: int(3) } });
    b.output(b.add('MatMul', [y, b.weight('o', 12, 5)]), 'y');
    const graph = b.made();
    expect(shownGroups(graph)).toEqual(['w/1: 3 of bias/0 x12, o/0 x4, w/1 x12']);
    expect(exactGroups(graph)[0]!.attention).toBe('head');
    const small = await expectExact(graph);
    expect(intsOf(node(small, 'com.microsoft::Attention'), 'qkv_hidden_sizes', [])).toEqual([8, 8, 8]);
  });

  it('keeps the sizes of queries and values apart', async () => {
    const b = netBuilder();
    const inputs = [b.input('x', 'float32', [2, 6, 8]), b.weight('w', 8, 22), b.weight('bias', 22)];
    const attributes = { num_heads: int(2), qkv_hidden_sizes: ints([8, 8, 6]) };
    const y = b.add('com.microsoft::Attention', inputs, { attributes });
    b.output(b.add('MatMul', [y, b.weight('o', 6, 5)]), 'y');
    const small = await expectExact(b.made());
    expect(small.constants.get('w')!.shape).toEqual([8, 11]);
    expect(small.constants.get('o')!.shape).toEqual([3, 5]);
  });

  it('loses heads of MultiHeadAttention, with its bias and a bias of the scores', async () => {
    const b = netBuilder();
    const [q, k, v] = projected(b, [3, 3, 3]) as [string, string, string];
    const inputs = [q, k, v, b.weight('bias', 36), undefined, b.weight('scores', 1, 3, 6, 6)];
    const y = b.add('com.microsoft::MultiHeadAttention', inputs, { attributes: { num_heads: int(3) } });
    b.output(b.add('MatMul', [y, b.weight('o', 12, 5)]), 'y');
    const graph = b.made();
    expect(shownGroups(graph)).toEqual(['q/1: 3 of bias/0 x12, k/1 x4, o/0 x4, q/1 x4, scores/1, v/1 x4']);
    await expectExact(graph);
  });

  it('loses heads of keys and values with all queries that share them', async () => {
    const b = netBuilder();
    const [q, k, v] = projected(b, [6, 2, 2], 8) as [string, string, string];
    const lengths = b.constant('lengths', tensor('int32', [2], Int32Array.of(5, 5)));
    const total = b.constant('total', tensor('int32', [1], Int32Array.of(6)));
    const cache = ['pk', 'pv'].map((name) => b.constant(name, waves(name, [2, 2, 0, 8])));
    const attributes = { num_heads: int(6), kv_num_heads: int(2) };
    const y = b.add('com.microsoft::GroupQueryAttention', [q, k, v, ...cache, lengths, total], {
      attributes,
      outputs: 3,
    });
    b.output(b.add('MatMul', [y, b.weight('o', 48, 5)]), 'y');
    const graph = b.made();
    expect(shownGroups(graph)).toEqual(['q/1: 2 of k/1 x8, o/0 x24, pk/1, pv/1, q/1 x24, v/1 x8']);
    const small = await expectExact(graph);
    const after = node(small, 'com.microsoft::GroupQueryAttention');
    expect([intOf(after, 'num_heads', 0), intOf(after, 'kv_num_heads', 0)]).toEqual([3, 1]);
  });

  it('leaves heads that a cache of the graph fixes', () => {
    const b = netBuilder();
    const [q, k, v] = projected(b, [2, 2, 2]) as [string, string, string];
    const past = ['pk', 'pv'].map((name) => b.input(name, 'float32', [2, 2, 3, 4]));
    const [y, key, value] = b.addAll(
      'com.microsoft::MultiHeadAttention',
      [q, k, v, undefined, undefined, undefined, ...past],
      {
        attributes: { num_heads: int(2) },
        outputs: 3,
      },
    );
    b.output(b.add('MatMul', [y!, b.weight('o', 8, 5)]), 'y');
    b.output(key!);
    b.output(value!);
    expect(shownGroups(b.made())).toEqual([]);
  });

  it('loses heads of ONNX attention, grouped and with turned queries and keys', async () => {
    const b = netBuilder(23);
    const [q, k, v] = projected(b, [4, 2, 2]) as [string, string, string];
    const tables = ['cos', 'sin'].map((name) => b.weight(name, 6, 2));
    const places = b.constant('places', longs([0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 4, 5], [2, 6]));
    const turned = [q, k].map((value, i) =>
      b.add('RotaryEmbedding', [value, ...tables, places], { attributes: { num_heads: int(i === 0 ? 4 : 2) } }),
    );
    const attributes = { q_num_heads: int(4), kv_num_heads: int(2) };
    const y = b.add('Attention', [...turned, v], { attributes });
    b.output(b.add('MatMul', [y, b.weight('o', 16, 5)]), 'y');
    const graph = b.made();
    expect(shownGroups(graph)).toEqual(['q/1: 2 of k/1 x4, o/0 x8, q/1 x8, v/1 x4']);
    await expectExact(graph);
  });

  it('loses heads, and places of all heads, of ONNX attention with heads on an axis of their own', async () => {
    const b = netBuilder(23);
    const shape = b.list('shape', 2, 6, 2, 4);
    const parts = projected(b, [2, 2, 2]).map((value) =>
      b.add('Transpose', [b.add('Reshape', [value, shape])], { attributes: { perm: ints([0, 2, 1, 3]) } }),
    );
    const y = b.add('Attention', parts);
    const flat = b.add('Reshape', [
      b.add('Transpose', [y], { attributes: { perm: ints([0, 2, 1, 3]) } }),
      b.list('flat', 2, 6, 8),
    ]);
    b.output(b.add('MatMul', [flat, b.weight('o', 8, 5)]), 'y');
    const graph = b.made();
    expect(shownGroups(graph)).toEqual(['q/1: 2 of k/1 x4, o/0 x4, q/1 x4, v/1 x4']);
    await expectExact(graph);
    const options = { attention: 'head-dimension' } as const;
    expect(shownGroups(graph, options)).toEqual(['q/1: 4 of k/1 x2, q/1 x2', 'v/1: 4 of o/0 x2, v/1 x2']);
    expect(exactGroups(graph, options).map(({ attention }) => attention)).toEqual(['head-dimension', 'head-dimension']);
    const { difference, small } = await maskedThenCut(graph, { options });
    expect(difference).toBeLessThan(1e-5);
    expect(node(small, 'Attention').attributes.get('scale')).toEqual(float(0.5));
  });

  it('loses heads of onnxruntime rotary embeddings', async () => {
    const b = netBuilder();
    const [q, k, v] = projected(b, [2, 2, 2]) as [string, string, string];
    const tables = ['cos', 'sin'].map((name) => b.weight(name, 6, 2));
    const places = b.constant('places', longs([0]));
    const turned = [q, k].map((value) => b.add('com.microsoft::RotaryEmbedding', [value, places, ...tables]));
    const y = b.add('com.microsoft::MultiHeadAttention', [...turned, v], { attributes: { num_heads: int(2) } });
    b.output(b.add('MatMul', [y, b.weight('o', 8, 5)]), 'y');
    const graph = b.made();
    expect(shownGroups(graph)).toEqual(['q/1: 2 of k/1 x4, o/0 x4, q/1 x4, v/1 x4']);
    await expectExact(graph);
  });
});
