import { createGraph, createNode, type Dim, ints, longs, type Tensor, type ValueId, zeros } from '@espalier/core';
import { describe, expect, it } from 'vitest';
import { inferShapes } from './infer-shapes.js';

const image = (shape: readonly Dim[]) =>
  createGraph({
    inputs: ['x'],
    outputs: ['y'],
    values: new Map([['x', { dtype: 'float32', shape }]]),
    constants: new Map<ValueId, Tensor>([
      ['w', zeros('float32', [8, 3, 3, 3])],
      ['flat', longs([0, -1])],
    ]),
    nodes: [
      createNode({
        id: 'conv',
        op: 'Conv',
        inputs: ['x', 'w'],
        outputs: ['a'],
        attributes: { strides: ints([2, 2]), pads: ints([1, 1, 1, 1]) },
      }),
      createNode({ id: 'relu', op: 'Relu', inputs: ['a'], outputs: ['b'] }),
      createNode({ id: 'flat', op: 'Reshape', inputs: ['b', 'flat'], outputs: ['y'] }),
    ],
  });

describe('inferShapes', () => {
  it('lets the name of the batch flow through a network', () => {
    const { values } = inferShapes(image(['batch', 3, 32, 32]));
    expect(values.get('a')).toEqual({ dtype: 'float32', shape: ['batch', 8, 16, 16] });
    expect(values.get('y')).toEqual({ dtype: 'float32', shape: ['batch', 2048] });
  });

  it('spells out arithmetic on names', () => {
    expect(inferShapes(image([1, 3, 'H', 'W'])).values.get('b')?.shape).toEqual([
      1,
      8,
      'floor((H + 1)/2)',
      'floor((W + 1)/2)',
    ]);
  });

  it('returns the same graph when nothing is new', () => {
    const once = inferShapes(image(['batch', 3, 32, 32]));
    expect(inferShapes(once)).toBe(once);
  });

  it('names the node whose inputs contradict each other', () => {
    expect(() => inferShapes(image([1, 4, 32, 32]))).toThrowErrorMatchingInlineSnapshot(
      `[EspalierError: node "conv" (Conv): expected input channels and weight channels × group 1 of equal size, found 4 and 3, with inputs "x" float32[1,4,32,32], "w" float32[8,3,3,3]. Check the sizes of the inputs and the attributes of this node.]`,
    );
  });
});
