import { type Graph, int, ints, longs, type ValueId } from '@espalier/core';
import { describe, expect, it } from 'vitest';
import {
  exactGroups,
  maskedThenCut,
  type NetBuilder,
  netBuilder,
  shownGroups,
} from '../../../../test/masked-then-cut.js';
import { coupled } from './coupled.js';

const along = (axis: number) => ({ attributes: { axis: int(axis) } });
const turned = (...perm: number[]) => ({ attributes: { perm: ints(perm) } });

async function expectExact(graph: Graph, tolerance = 1e-5): Promise<Graph> {
  const { difference, changed, small } = await maskedThenCut(graph);
  expect(difference).toBeLessThan(tolerance);
  expect(changed).toBeGreaterThan(1e-3);
  return small;
}

/** Softmax(q kᵀ) v over [B, heads, T, size]. */
function mixed(b: NetBuilder, { q, k, v }: Readonly<Record<'q' | 'k' | 'v', ValueId>>): ValueId {
  const scores = b.add('MatMul', [q, b.add('Transpose', [k], turned(0, 1, 3, 2))]);
  return b.add('MatMul', [b.add('Softmax', [scores], along(-1)), v]);
}

/** [B, heads, T, size] -> [B, T, heads·size] -> MatMul o -> y. */
function projectedOut(b: NetBuilder, y: ValueId, width: number): void {
  const flat = b.add('Reshape', [b.add('Transpose', [y], turned(0, 2, 1, 3)), b.list('flat', 2, 6, width)]);
  b.output(b.add('MatMul', [flat, b.weight('o', width, 5)]), 'y');
}

const split = (b: NetBuilder, value: ValueId, heads: number, size = 4) =>
  b.add('Transpose', [b.add('Reshape', [value, b.list(`shape${heads}`, 2, 6, heads, size)])], turned(0, 2, 1, 3));

describe('attention', () => {
  const repeats = {
    'Expand and Reshape': (b: NetBuilder, x: ValueId) => {
      const apart = b.add('Unsqueeze', [x, b.list('two', 2)]);
      const wide = b.add('Expand', [apart, b.list('wide', 2, 2, 3, 6, 4)]);
      return b.add('Reshape', [wide, b.list('joined', 2, 6, 6, 4)]);
    },
    'Tile and Reshape': (b: NetBuilder, x: ValueId) => {
      const wide = b.add('Tile', [b.add('Unsqueeze', [x, b.list('two', 2)]), b.list('times', 1, 1, 3, 1, 1)]);
      return b.add('Reshape', [wide, b.list('joined', 2, 6, 6, 4)]);
    },
    'a Gather of heads': (b: NetBuilder, x: ValueId) =>
      b.add('Gather', [x, b.list('which', 0, 0, 0, 1, 1, 1)], along(1)),
    'an Expand to a shape of run time': (b: NetBuilder, x: ValueId) => {
      const apart = b.add('Unsqueeze', [x, b.list('two', 2)]);
      const batch = b.add('Gather', [b.add('Shape', [x]), b.list('zero', 0)]);
      const wide = b.add('Expand', [apart, b.add('Concat', [batch, b.list('rest', 2, 3, 6, 4)], along(0))]);
      return b.add('Reshape', [wide, b.list('joined', -1, 6, 6, 4)]);
    },
  } as const;
  for (const [name, repeat] of Object.entries(repeats)) {
    it(`loses heads of keys and values with all queries that share them (${name})`, async () => {
      const b = netBuilder();
      const x = b.input('x', 'float32', [name.includes('run time') ? 'batch' : 2, 6, 5]);
      const part = (weight: string, heads: number) =>
        split(b, b.add('MatMul', [x, b.weight(weight, 5, 4 * heads)]), heads);
      const [k, v] = [repeat(b, part('k', 2)), repeat(b, part('v', 2))];
      projectedOut(b, mixed(b, { q: part('q', 6), k, v }), 24);
      const graph = b.made();
      expect(shownGroups(graph)).toEqual(['k/1: 2 of k/1 x4, o/0 x12, q/1 x12, v/1 x4']);
      await expectExact(graph);
    });
  }

  it('loses heads of one projection that is split into queries, keys and values', async () => {
    for (const form of ['Split', 'Slice', 'Reshape and Gather'] as const) {
      const b = netBuilder();
      const x = b.input('x', 'float32', [2, 6, 5]);
      const flat = b.add('Reshape', [x, b.list('rows', 12, 5)]);
      const all = b.add('Gemm', [flat, b.weight('w', 5, 24), b.weight('bias', 24)]);
      const parts = partsOf(b, b.add('Reshape', [all, b.list('tokens', 2, 6, 24)]), form);
      projectedOut(b, mixed(b, parts), 8);
      const graph = b.made();
      expect(shownGroups(graph), form).toEqual(['w/1: 2 of bias/0 x12, o/0 x4, w/1 x12']);
      await expectExact(graph);
    }
  });

  it('cuts the trunk of windows that are partitioned, rolled and merged', async () => {
    const b = netBuilder();
    const image = b.add('Conv', [b.input('x', 'float32', [2, 3, 4, 4]), b.weight('stem', 6, 3, 1, 1)]);
    const last = b.add('Transpose', [image], turned(0, 2, 3, 1));
    const bounds = (name: string, from: number, to: number) => [
      b.list(`${name}a`, from),
      b.list(`${name}b`, to),
      b.list('row', 1),
    ];
    const rolled = b.add(
      'Concat',
      [b.add('Slice', [last, ...bounds('low', 1, 4)]), b.add('Slice', [last, ...bounds('high', 0, 1)])],
      along(1),
    );
    const windows = b.add(
      'Transpose',
      [b.add('Reshape', [rolled, b.list('windows', 2, 2, 2, 2, 2, 6)])],
      turned(0, 1, 3, 2, 4, 5),
    );
    const tokens = b.add('Reshape', [windows, b.list('tokens', 8, 4, 6)]);
    const width = b.list('heads', 8, 4, 2, 4);
    const part = (name: string) =>
      b.add(
        'Transpose',
        [b.add('Reshape', [b.add('MatMul', [tokens, b.weight(name, 6, 8)]), width])],
        turned(0, 2, 1, 3),
      );
    const y = b.add('Transpose', [mixed(b, { q: part('q'), k: part('k'), v: part('v') })], turned(0, 2, 1, 3));
    const out = b.add('MatMul', [b.add('Reshape', [y, b.list('joined', 8, 4, 8)]), b.weight('o', 8, 6)]);
    const back = b.add(
      'Transpose',
      [b.add('Reshape', [out, b.list('apart', 2, 2, 2, 2, 2, 6)])],
      turned(0, 1, 3, 2, 4, 5),
    );
    const merged = b.add('Add', [b.add('Reshape', [back, b.list('image', 2, 4, 4, 6)]), last]);
    b.output(b.add('MatMul', [merged, b.weight('head', 6, 2)]), 'y');
    const graph = b.made();
    expect(shownGroups(graph)).toEqual([
      'stem/0: 6 of head/0, k/0, o/1, q/0, stem/0, v/0',
      'q/1: 2 of k/1 x4, o/0 x4, q/1 x4, v/1 x4',
    ]);
    await expectExact(graph);
  });
});

function partsOf(b: NetBuilder, all: ValueId, form: 'Split' | 'Slice' | 'Reshape and Gather') {
  if (form === 'Split') {
    const parts = b.addAll('Split', [all, b.list('sizes', 8, 8, 8)], { outputs: 3, ...along(2) });
    const [q, k, v] = parts.map((part) => split(b, part, 2)) as [ValueId, ValueId, ValueId];
    return { q, k, v };
  }
  if (form === 'Slice') {
    const [q, k, v] = [0, 8, 16].map((from) =>
      split(b, b.add('Slice', [all, b.list(`from${from}`, from), b.list(`to${from}`, from + 8), b.list('last', 2)]), 2),
    ) as [ValueId, ValueId, ValueId];
    return { q, k, v };
  }
  const stacked = b.add('Reshape', [all, b.list('stack', 2, 6, 3, 2, 4)]);
  const first = b.add('Transpose', [stacked], turned(2, 0, 3, 1, 4));
  const [q, k, v] = [0, 1, 2].map((i) =>
    b.add('Gather', [first, b.constant(`part${i}`, longs([i], []))], along(0)),
  ) as [ValueId, ValueId, ValueId];
  return { q, k, v };
}

describe('transformers', () => {
  it('cuts an embedding tied to the last layer on both ends', async () => {
    const b = netBuilder();
    const table = b.weight('table', 9, 6);
    const x = b.add('Gather', [table, b.input('ids', 'int64', [2, 4])]);
    const hidden = b.add('MatMul', [
      b.add('Relu', [b.add('MatMul', [x, b.weight('up', 6, 10)])]),
      b.weight('down', 10, 6),
    ]);
    const last = b.add('Add', [hidden, x]);
    b.output(b.add('MatMul', [last, b.add('Transpose', [table], turned(1, 0))]), 'logits');
    const graph = b.made();
    expect(shownGroups(graph)).toEqual(['table/1: 6 of down/1, table/1, up/0', 'up/1: 10 of down/0, up/1']);
    await expectExact(graph);
  });

  it('masks a table that one layer makes its units of and another sums over', async () => {
    const b = netBuilder();
    const table = b.weight('table', 9, 6);
    const x = b.add('Gather', [table, b.input('ids', 'int64', [4])]);
    const attributes = { transB: int(1) };
    b.output(b.add('Gemm', [b.add('Add', [x, b.weight('places', 4, 6)]), table], { attributes }), 'logits');
    const graph = b.made();
    expect(coupled(graph).groups[0]!.slices.find(({ value }) => value === 'table')!.role).toBe('produces');
    await expectExact(graph);
  });

  it('cuts gated layers: both factors and what reads their product', async () => {
    const b = netBuilder();
    const x = b.input('x', 'float32', [2, 6]);
    const gate = b.add('MatMul', [x, b.weight('gate', 6, 10)]);
    const swish = b.add('Mul', [gate, b.add('Sigmoid', [gate])]);
    b.output(
      b.add('MatMul', [b.add('Mul', [swish, b.add('MatMul', [x, b.weight('up', 6, 10)])]), b.weight('down', 10, 3)]),
      'y',
    );
    const graph = b.made();
    expect(shownGroups(graph)).toEqual(['gate/1: 10 of down/0, gate/1, up/1']);
    await expectExact(graph);
  });

  it('cuts a class token that is repeated for every image', async () => {
    const b = netBuilder();
    const x = b.add('MatMul', [b.input('x', 'float32', ['batch', 5, 4]), b.weight('w', 4, 6)]);
    const batch = b.add('Gather', [b.add('Shape', [x]), b.list('zero', 0)]);
    const shape = b.add('Concat', [batch, b.list('rest', 1, 6)], along(0));
    const token = b.add('Expand', [b.weight('token', 1, 1, 6), shape]);
    const all = b.add('Add', [b.add('Concat', [token, x], along(1)), b.weight('places', 1, 6, 6)]);
    b.output(b.add('MatMul', [all, b.weight('v', 6, 3)]), 'y');
    const graph = b.made();
    expect(shownGroups(graph)).toEqual(['w/1: 6 of places/2, token/2, v/0, w/1']);
    const small = await expectExact(graph);
    expect(small.constants.get('token')!.shape).toEqual([1, 1, 5]);
  });
});

describe('shortcuts', () => {
  it('pads channels with zeros (option A), before and behind', async () => {
    const b = netBuilder();
    const conv = (x: ValueId, name: string, from: number, to: number, stride = 1) =>
      b.add('Conv', [x, b.weight(name, to, from, 3, 3)], {
        attributes: { pads: ints([1, 1, 1, 1]), strides: ints([stride, stride]) },
      });
    const x = b.add('Relu', [conv(b.input('x', 'float32', [1, 3, 6, 6]), 'a', 3, 4)]);
    const steps = [b.list('from', 0, 0), b.list('to', 6, 6), b.list('axes', 2, 3), b.list('steps', 2, 2)];
    const short = b.add('Pad', [b.add('Slice', [x, ...steps]), b.list('pads', 0, 2, 0, 0, 0, 2, 0, 0)]);
    const sum = b.add('Relu', [b.add('Add', [conv(b.add('Relu', [conv(x, 'c', 4, 8, 2)]), 'd', 8, 8), short])]);
    b.output(b.add('Conv', [sum, b.weight('z', 2, 8, 1, 1)]), 'y');
    const graph = b.made();
    expect(shownGroups(graph)).toEqual(['a/0: 4 of a/0, c/1, d/0, z/1', 'c/0: 8 of c/0, d/1', 'd/0: 4 of d/0, z/1']);
    const small = await expectExact(graph);
    const pads = small.nodes.find(({ op }) => op === 'Pad')!.inputs[1]!;
    expect([...(small.constants.get(pads)!.data as BigInt64Array)].map(Number)).toEqual([0, 1, 0, 0, 0, 2, 0, 0]);
  });
});

describe('recurrent layers', () => {
  const gates = { RNN: 1, GRU: 3, LSTM: 4 } as const;
  for (const [op, count] of Object.entries(gates)) {
    it(`lose hidden units in both directions of a ${op}, with biases and first states`, async () => {
      const b = netBuilder();
      const states = ['h', ...(op === 'LSTM' ? ['c'] : [])].map((name) =>
        b.add('Unsqueeze', [
          b.add('MatMul', [b.input(name, 'float32', [2, 4]), b.weight(`${name}w`, 4, 3)]),
          b.list('zero', 0),
        ]),
      );
      // The same first state for both directions.
      const both = states.map((state) => b.add('Concat', [state, state], along(0)));
      const weights = [b.weight('w', 2, 3 * count, 4), b.weight('r', 2, 3 * count, 3), b.weight('bias', 2, 6 * count)];
      const inputs = [b.input('x', 'float32', [5, 2, 4]), ...weights, undefined, ...both];
      const peepholes = op === 'LSTM' ? [b.weight('p', 2, 9)] : [];
      const y = b.add(op, [...inputs, ...peepholes], {
        attributes: { hidden_size: int(3), direction: { kind: 'text', value: 'bidirectional' } },
      });
      b.output(b.add('MatMul', [y, b.weight('fc', 3, 2)]), 'out');
      const graph = b.made();
      const [group, ...others] = exactGroups(graph);
      expect(others).toEqual([]);
      expect(group!.units).toBe(3);
      const { difference, changed, small } = await maskedThenCut(graph, { removals: new Map([[group!.id, [1]]]) });
      expect(difference).toBeLessThan(1e-5);
      expect(changed).toBeGreaterThan(1e-3);
      expect(small.nodes.find((node) => node.op === op)!.attributes.get('hidden_size')).toEqual(int(2));
    });
  }

  it('are left where an activation makes something of zero', () => {
    const b = netBuilder();
    const inputs = [b.input('x', 'float32', [5, 2, 4]), b.weight('w', 1, 3, 4), b.weight('r', 1, 3, 3)];
    const attributes = { hidden_size: int(3), activations: { kind: 'texts', value: ['Sigmoid'] } } as const;
    b.output(b.add('MatMul', [b.add('RNN', inputs, { attributes }), b.weight('fc', 3, 2)]), 'out');
    expect(coupled(b.made()).groups.find(({ id }) => id === 'w/1')?.reason).toMatch(/makes something of zero/);
  });
});
