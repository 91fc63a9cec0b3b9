import { buildGraph, floats, type Graph, type GraphBuilder, int, ints, longs, text } from '@espalier/core';
import { inferShapes } from '@espalier/ops';
import { describe, expect, it } from 'vitest';
import { largestDifference, randomFeeds, runOnnx } from '../../../../test/run-onnx.js';
import { coupled } from './coupled.js';
import { cut } from './cut.js';
import { maskGroups } from './mask-groups.js';

const finish = (b: GraphBuilder): Graph => inferShapes(b.finish());

/** A weight of distinct small values, alternating in sign. */
const weight = (b: GraphBuilder, name: string, ...shape: number[]) => {
  const count = shape.reduce((product, dim) => product * dim, 1);
  return b.constant(
    name,
    floats(
      Float32Array.from({ length: count }, (_, i) => Math.sin(1 + 3 * i) / 2),
      shape,
    ),
  );
};

const prunable = (graph: Graph) => coupled(graph).groups.filter((group) => group.prunable);

/** For each prunable group its id, units, and how many indices of which axes go with a unit. */
const shown = (graph: Graph) =>
  prunable(graph).map(({ id, units, slices }) => {
    const parts = slices.map(({ value, axis, each }) => `${value}/${axis}${each > 1 ? ` x${each}` : ''}`);
    return `${id}: ${units} of ${parts.sort().join(', ')}`;
  });

/** Removes the first unit of every exact group, and compares with the masked graph in onnxruntime. */
async function differenceOfCut(graph: Graph): Promise<number> {
  const exact = prunable(graph).filter(({ changesStatistics }) => !changesStatistics);
  const removals = new Map(exact.map(({ id }) => [id, [0]]));
  const feeds = randomFeeds(graph);
  return largestDifference(
    await runOnnx(maskGroups(coupled(graph), removals), feeds),
    await runOnnx(cut(coupled(graph), removals), feeds),
  );
}

/** x -> Conv a (1x1, to `channels`) -> ... -> Conv z (1x1) -> y. */
function between(channels: number, body: (b: GraphBuilder, x: string) => readonly [value: string, channels: number]) {
  const b = buildGraph();
  const x = b.add('Conv', [b.input('x', 'float32', ['batch', 3, 4, 4]), weight(b, 'a', channels, 3, 1, 1)]);
  const [inner, width] = body(b, x);
  b.output(b.add('Conv', [inner, weight(b, 'z', 2, width, 1, 1)]), 'y');
  return finish(b);
}

const along1 = { axis: int(1) };

describe('groupsOf', () => {
  it('follows a concatenation of a value with itself', async () => {
    const graph = between(4, (b, x) => [b.add('Concat', [x, x], { attributes: along1 }), 8]);
    expect(shown(graph)).toEqual(['a/0: 4 of a/0, z/1 x2']);
    expect(await differenceOfCut(graph)).toBeLessThan(1e-5);
  });

  it('keeps the parts of a split apart', async () => {
    const graph = between(5, (b, x) => {
      const [low, high] = b.addAll('Split', [x, b.constant('sizes', longs([2, 3]))], {
        outputs: 2,
        attributes: along1,
      });
      return [b.add('Concat', [high!, b.add('Conv', [low!, weight(b, 'l', 2, 2, 1, 1)])], { attributes: along1 }), 5];
    });
    expect(shown(graph)).toEqual(['a/0: 2 of a/0, l/1', 'a/0#2: 3 of a/0, z/1', 'l/0: 2 of l/0, z/1']);
    expect(await differenceOfCut(graph)).toBeLessThan(1e-5);
  });

  it('ties the halves of a channel shuffle', async () => {
    const graph = between(6, (b, x) => {
      const apart = b.add('Reshape', [x, b.constant('s', longs([0, 2, 3, 4, 4]))]);
      const mixed = b.add('Transpose', [apart], { attributes: { perm: ints([0, 2, 1, 3, 4]) } });
      return [b.add('Reshape', [mixed, b.constant('t', longs([-1, 6, 4, 4]))]), 6];
    });
    expect(shown(graph)).toEqual(['a/0: 3 of a/0 x2, z/1 x2']);
    expect(await differenceOfCut(graph)).toBeLessThan(1e-5);
  });

  it('removes depthwise filters with their channels, and whole groups of grouped convolutions', async () => {
    const depthwise = between(4, (b, x) => [
      b.add('Conv', [x, weight(b, 'd', 8, 1, 1, 1)], { attributes: { group: int(4) } }),
      8,
    ]);
    expect(shown(depthwise)).toEqual(['a/0: 4 of a/0, d/0 x2, z/1 x2']);
    expect(await differenceOfCut(depthwise)).toBeLessThan(1e-5);
    const grouped = between(8, (b, x) => [
      b.add('Conv', [x, weight(b, 'g', 8, 2, 1, 1)], { attributes: { group: int(4) } }),
      8,
    ]);
    expect(shown(grouped)).toEqual(['a/0: 4 of a/0 x2, g/0 x2, z/1 x2']);
    expect(await differenceOfCut(grouped)).toBeLessThan(1e-5);
  });

  it('removes the same channels of every group where the groups are few', async () => {
    const graph = between(8, (b, x) => [
      b.add('Conv', [x, weight(b, 'g', 6, 4, 1, 1)], { attributes: { group: int(2) } }),
      6,
    ]);
    expect(shown(graph)).toEqual(['a/0: 4 of a/0 x2, g/1', 'g/0: 3 of g/0 x2, z/1 x2']);
    expect(await differenceOfCut(graph)).toBeLessThan(1e-5);
  });

  it('carries a channel through a flatten to all its places, and a padding to none', async () => {
    const b = buildGraph();
    const x = b.add('Conv', [b.input('x', 'float32', ['batch', 3, 2, 2]), weight(b, 'a', 4, 3, 1, 1)]);
    const padded = b.add('Pad', [x, b.constant('pads', longs([0, 1, 0, 0, 0, 1, 0, 0]))]);
    b.output(b.add('Gemm', [b.add('Flatten', [padded]), weight(b, 'fc', 24, 5)]), 'y');
    const graph = finish(b);
    expect(shown(graph)).toEqual(['a/0: 4 of a/0, fc/0 x4']);
    expect(await differenceOfCut(graph)).toBeLessThan(1e-5);
  });

  it('joins all uses of a shared weight', async () => {
    const graph = between(4, (b, x) => {
      const w = weight(b, 'w', 4, 4, 1, 1);
      return [b.add('Conv', [b.add('Relu', [b.add('Conv', [x, w])]), w]), 4];
    });
    expect(shown(graph)).toEqual(['a/0: 4 of a/0, w/0, w/1, z/1']);
    expect(await differenceOfCut(graph)).toBeLessThan(1e-5);
  });

  it('moves pixels into channels and back', async () => {
    for (const mode of ['DCR', 'CRD']) {
      const graph = between(12, (b, x) => {
        const attributes = { blocksize: int(2), mode: text(mode) };
        return [b.add('DepthToSpace', [x], { attributes }), 3];
      });
      expect(shown(graph)).toEqual(['a/0: 3 of a/0 x4, z/1']);
      expect(await differenceOfCut(graph)).toBeLessThan(1e-5);
    }
  });

  it('takes whole heads of attention', async () => {
    const graph = attention();
    expect(shown(graph)).toEqual(['q/1: 2 of k/1 x4, o/0 x4, q/1 x4, v/1 x4']);
    expect(await differenceOfCut(graph)).toBeLessThan(1e-5);
  });

  it('removes hidden units of an LSTM', async () => {
    const b = buildGraph();
    const weights = [weight(b, 'w', 1, 12, 4), weight(b, 'r', 1, 12, 3), weight(b, 'bias', 1, 24)];
    const inputs = [b.input('x', 'float32', [5, 2, 4]), ...weights];
    const y = b.add('LSTM', inputs, { attributes: { hidden_size: int(3) } });
    b.output(b.add('MatMul', [y, weight(b, 'fc', 3, 2)]), 'out');
    const graph = finish(b);
    expect(shown(graph)).toEqual(['w/1: 3 of bias/1 x8, fc/0, r/1 x4, r/2, w/1 x4']);
    expect(await differenceOfCut(graph)).toBeLessThan(1e-5);
  });

  it('marks channels that a layer norm takes its statistics over', () => {
    const b = buildGraph();
    const hidden = b.add('MatMul', [b.input('x', 'float32', ['batch', 3]), weight(b, 'w', 3, 4)]);
    const normed = b.add('LayerNormalization', [hidden, weight(b, 'scale', 4)]);
    b.output(b.add('MatMul', [normed, weight(b, 'v', 4, 2)]), 'y');
    const [group] = prunable(finish(b));
    expect(group).toMatchObject({ id: 'w/1', units: 4, changesStatistics: true });
  });

  it('says why it leaves what it leaves', () => {
    const graph = between(4, (b, x) => [
      b.info(b.add('acme::Mix', [x]), { dtype: 'float32', shape: ['batch', 4, 4, 4] }),
      4,
    ]);
    const reasons = Object.fromEntries(coupled(graph).groups.map(({ id, reason }) => [id, reason]));
    expect(reasons['a/1']).toBe('"x" is an input of the graph');
    expect(reasons['a/0']).toMatch(/acme::Mix\): how its axes relate is not known/);
    expect(reasons['z/0']).toBe('"y" is an output of the graph');
  });

  it('leaves what meets a value of unknown shape', () => {
    const graph = between(4, (b, x) => [b.add('Add', [x, b.add('acme::Noise', [])]), 4]);
    const [first] = coupled(graph).groups.filter(({ id }) => id === 'a/0');
    expect(first?.reason).toMatch(/\(Add\): a shape is not known/);
  });
});

/** Two heads of four dimensions over six tokens. */
function attention(): Graph {
  const b = buildGraph();
  const x = b.input('x', 'float32', ['batch', 6, 5]);
  const shape = b.constant('shape', longs([0, 6, 2, 4]));
  const head = (name: string, perm: readonly number[]) =>
    b.add('Transpose', [b.add('Reshape', [b.add('MatMul', [x, weight(b, name, 5, 8)]), shape])], {
      attributes: { perm: ints(perm) },
    });
  const scores = b.add('MatMul', [head('q', [0, 2, 1, 3]), head('k', [0, 2, 3, 1])]);
  const soft = b.add('Softmax', [scores], { attributes: { axis: int(-1) } });
  const mixed = b.add('MatMul', [soft, head('v', [0, 2, 1, 3])]);
  const merged = b.add('Transpose', [mixed], { attributes: { perm: ints([0, 2, 1, 3]) } });
  const flat = b.add('Reshape', [merged, b.constant('flat', longs([0, 6, 8]))]);
  b.output(b.add('MatMul', [flat, weight(b, 'o', 8, 5)]), 'y');
  return finish(b);
}
