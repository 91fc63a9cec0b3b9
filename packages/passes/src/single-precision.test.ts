import {
  createGraph,
  createNode,
  type DType,
  encodeFloat16s,
  type Graph,
  int,
  longs,
  type Tensor,
  tensor,
  toFloats,
  toNumbers,
} from '@espalier/core';
import { createOnnxRuntime } from '@espalier/onnxruntime';
import { inferShapes } from '@espalier/ops';
import { describe, expect, it } from 'vitest';
import { singlePrecision } from './single-precision.js';

const half = (shape: readonly number[], of: (i: number) => number): Tensor<'float16'> => {
  const values = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => of(i));
  return tensor('float16', shape, encodeFloat16s(values));
};
const wave = (i: number) => Math.sin(i * 1.7);

/** A product in a branch, whose weight the outer graph holds, a fill of the type, and a cast to it. */
const graphOf = (domain = ''): Graph => {
  const branch = (name: string) =>
    createGraph({
      inputs: [],
      outputs: [name],
      opsets: new Map(),
      constants: new Map([[`${name}_w`, half([16, 16], wave)]]),
      nodes: [
        createNode({ id: `${name}_m`, op: 'MatMul', inputs: ['s', `${name}_w`], outputs: [`${name}_h`] }),
        createNode({
          id: `${name}_c`,
          op: 'Cast',
          inputs: [`${name}_h`],
          outputs: [name],
          attributes: { to: int(10) },
        }),
      ],
    });
  return inferShapes(
    createGraph({
      inputs: ['x', 'c'],
      outputs: ['y', 'sum'],
      opsets: new Map([['', 17], ...(domain === '' ? [] : [[domain, 1] as const])]),
      values: new Map<string, { readonly dtype: DType; readonly shape: readonly number[] }>([
        ['x', { dtype: 'float16', shape: [2, 16] }],
        ['c', { dtype: 'bool', shape: [] }],
      ]),
      constants: new Map<string, Tensor>([
        ['shape', longs([16])],
        ['mask', half([16], (i) => (i === 3 ? -65504 : 0))],
      ]),
      nodes: [
        createNode({
          id: 'ones',
          op: 'ConstantOfShape',
          inputs: ['shape'],
          outputs: ['ones'],
          attributes: { value: { kind: 'tensor', value: half([1], () => 1) } },
        }),
        createNode({
          id: 'sum',
          op: domain === '' ? 'Add' : `${domain}::Add`,
          inputs: ['x', 'ones'],
          outputs: ['sum'],
        }),
        createNode({ id: 's', op: 'Add', inputs: ['sum', 'mask'], outputs: ['s'] }),
        createNode({
          id: 'if',
          op: 'If',
          inputs: ['c'],
          outputs: ['y'],
          attributes: {
            then_branch: { kind: 'graph', value: branch('a') },
            else_branch: { kind: 'graph', value: branch('b') },
          },
        }),
      ],
    }),
  );
};

describe('singlePrecision', () => {
  it('computes what it did, with ports of their own type', async () => {
    const executor = createOnnxRuntime({ threads: 1 });
    const { graph } = singlePrecision(graphOf());
    const feeds = new Map<string, Tensor>([
      ['x', half([2, 16], (i) => Math.cos(i))],
      ['c', tensor('bool', [], Uint8Array.of(1))],
    ]);
    const results = await Promise.all([graphOf(), graph].map(async (each) => (await executor.open(each)).run(feeds)));
    for (const name of ['y', 'sum']) {
      const [before, after] = results.map((each) => each.get(name)!);
      expect(after!.dtype).toBe('float16');
      const [a, b] = [toFloats(before!), toFloats(after!)];
      for (const [i, value] of a.entries()) expect(Math.abs(value - b[i]!)).toBeLessThan(1e-3 * Math.abs(value) + 1e-2);
    }
    await executor.close();
  });

  it('leaves no float16 behind but ports, drops casts that lost their point, and is idempotent', () => {
    const { graph } = singlePrecision(graphOf());
    const halves = [...graph.values].filter(([, { dtype }]) => dtype === 'float16').map(([value]) => value);
    expect(halves.sort()).toEqual(['sum', 'x', 'y']);
    expect([...graph.constants.values()].map(({ dtype }) => dtype)).not.toContain('float16');
    expect(singlePrecision(graph).graph).toBe(graph);
  });

  it('stores constants that came through in their own type again', () => {
    const { graph, stored } = singlePrecision(graphOf());
    const branch = stored(graph)
      .nodes.find(({ op }) => op === 'If')
      ?.attributes.get('then_branch');
    const body = branch?.kind === 'graph' ? branch.value : undefined;
    expect(body?.constants.get('a_w_float16')?.dtype).toBe('float16');
    expect(body?.nodes[0]).toMatchObject({ op: 'Cast', inputs: ['a_w_float16'], outputs: ['a_w'] });
  });

  it('leaves graphs alone whose custom op may ask for the type, and graphs in float32', () => {
    const custom = graphOf('acme');
    expect(singlePrecision(custom).graph).toBe(custom);
    const { graph } = singlePrecision(graphOf());
    expect(singlePrecision(graph).stored(graph)).toBe(graph);
  });

  it('keeps numbers beyond float32 finite, as masks of the lowest double are', () => {
    const graph = inferShapes(
      createGraph({
        inputs: ['x'],
        outputs: ['y'],
        values: new Map([['x', { dtype: 'float64' as const, shape: [1, 2] }]]),
        constants: new Map([['w', tensor('float64', [2, 2], Float64Array.of(-Number.MAX_VALUE, 1, Infinity, 2))]]),
        nodes: [createNode({ id: 'm', op: 'MatMul', inputs: ['x', 'w'], outputs: ['y'] })],
      }),
    );
    expect(toNumbers(singlePrecision(graph).graph.constants.get('w')!)).toEqual([
      -3.4028234663852886e38,
      1,
      Infinity,
      2,
    ]);
  });
});
