import { createGraph, createNode, type Dim, float, ints, type Tensor, type ValueId, zeros } from '@espalier/core';
import { describe, expect, it } from 'vitest';
import { inferShapes } from './infer-shapes.js';
import { setInputShapes } from './set-input-shapes.js';
import { bindDim } from './shapes/dim.js';

const graphOf = (x: readonly Dim[], mask: readonly Dim[] = ['batch']) =>
  inferShapes(
    createGraph({
      inputs: ['x', 'mask'],
      outputs: ['y', 'custom'],
      values: new Map([
        ['x', { dtype: 'float32', shape: x }],
        ['mask', { dtype: 'float32', shape: mask }],
        ['custom', { dtype: 'float32', shape: ['batch', 5] }],
      ]),
      constants: new Map<ValueId, Tensor>([['w', zeros('float32', [8, 3, 3, 3])]]),
      nodes: [
        createNode({
          id: 'conv',
          op: 'Conv',
          inputs: ['x', 'w'],
          outputs: ['a'],
          attributes: { strides: ints([2, 2]), pads: ints([1, 1, 1, 1]) },
        }),
        createNode({ id: 'relu', op: 'LeakyRelu', inputs: ['a'], outputs: ['y'], attributes: { alpha: float(0.1) } }),
        createNode({ id: 'custom', op: 'acme::Head', inputs: ['a', 'mask'], outputs: ['custom'] }),
      ],
    }),
  );

const shapes = (graph: ReturnType<typeof graphOf>) =>
  Object.fromEntries([...graph.values].map(([value, { shape }]) => [value, shape]));

describe('setInputShapes', () => {
  it('turns a name into a number everywhere, behind custom ops and in other inputs too', () => {
    const fixed = setInputShapes(graphOf(['batch', 3, 32, 32]), new Map([['x', [8, 3, 32, 32]]]));
    expect(shapes(fixed)).toEqual({
      x: [8, 3, 32, 32],
      mask: [8],
      a: [8, 8, 16, 16],
      y: [8, 8, 16, 16],
      custom: [8, 5],
    });
  });

  it('turns a number into a name, and forgets what the file said of custom ops behind it', () => {
    const open = setInputShapes(graphOf([1, 3, 32, 32], [1]), new Map([['x', ['N', 3, 'H', 'W']]]));
    expect(shapes(open)).toEqual({
      x: ['N', 3, 'H', 'W'],
      mask: [1],
      a: ['N', 8, 'floor((H + 1)/2)', 'floor((W + 1)/2)'],
      y: ['N', 8, 'floor((H + 1)/2)', 'floor((W + 1)/2)'],
      custom: undefined,
    });
  });

  it('binds names inside expressions', () => {
    const sized = setInputShapes(graphOf(['batch', 3, 'H', 'W']), new Map([['x', ['batch', 3, 224, 'W']]]));
    expect(shapes(sized).y).toEqual(['batch', 8, 112, 'floor((W + 1)/2)']);
  });

  it('does not spread a name that one axis gives up and another keeps', () => {
    const split = setInputShapes(graphOf(['batch', 3, 'batch', 32]), new Map([['x', [4, 3, 'batch', 32]]]));
    expect(shapes(split).mask).toEqual(['batch']);
    expect(shapes(split).a).toEqual([4, 8, 'floor((batch + 1)/2)', 16]);
  });

  it('goes back and forth to where it began', () => {
    const graph = graphOf(['batch', 3, 32, 32]);
    const there = setInputShapes(graph, new Map([['x', [2, 3, 32, 32]]]));
    const back = setInputShapes(
      there,
      new Map<ValueId, readonly Dim[]>([
        ['x', ['batch', 3, 32, 32]],
        ['mask', ['batch']],
      ]),
    );
    expect(shapes(back).y).toEqual(shapes(graph).y);
  });

  it('returns the same graph for the same shapes', () => {
    const graph = graphOf(['batch', 3, 32, 32]);
    expect(setInputShapes(graph, new Map([['x', ['batch', 3, 32, 32]]]))).toBe(graph);
  });

  it('refuses what is no input and what is no size', () => {
    const graph = graphOf(['batch', 3, 32, 32]);
    expect(() => setInputShapes(graph, new Map([['mesk', [1]]]))).toThrowErrorMatchingInlineSnapshot(
      `[EspalierError: graph "graph": expected one of the inputs "x", "mask", of a known dtype, found "mesk". Did you mean "mask"? Only inputs of the model can be given a shape.]`,
    );
    expect(() => setInputShapes(graph, new Map([['x', [-1, 3, 32, 32]]]))).toThrowErrorMatchingInlineSnapshot(
      `[EspalierError: input "x": expected sizes of at least 0 or names, found [-1,3,32,32].]`,
    );
    expect(() => setInputShapes(graph, new Map([['x', [1, 4, 32, 32]]]))).toThrow(/channels/);
  });
});

it('bindDim works out an expression of names', () => {
  expect(bindDim('floor((H + 1)/2)', new Map([['H', 224]]))).toBe(112);
  expect(bindDim('max(M, N) + 1', new Map([['M', 3]]))).toBe('max(3, N) + 1');
  expect(bindDim('2*N', new Map([['N', 'batch']]))).toBe('2*batch');
});
