import { createGraph, createNode, float, floats, type Graph } from '@espalier/core';
import { describe, expect, it } from 'vitest';
import { runOnnx } from '../../../test/run-onnx.js';
import { inlineFunctions } from './inline-functions.js';
import { simplify } from './simplify.js';

/** y = twice(x): a local function that scales by 3 and calls another that adds its input to itself. */
const called = (): Graph =>
  createGraph({
    inputs: ['x'],
    outputs: ['y'],
    values: new Map([
      ['x', { dtype: 'float32', shape: [2] }],
      ['y', { dtype: 'float32', shape: [2] }],
    ]),
    constants: new Map([['w', floats([3])]]),
    opsets: new Map([
      ['', 17],
      ['local', 1],
    ]),
    nodes: [
      createNode({
        id: 'a',
        op: 'local::scaled',
        inputs: ['x', 'w'],
        outputs: ['h'],
        attributes: { alpha: float(0.5) },
      }),
      createNode({
        id: 'b',
        op: 'local::scaled',
        inputs: ['h', 'w'],
        outputs: ['y'],
        attributes: { alpha: float(0.5) },
      }),
    ],
    functions: [
      {
        op: 'local::scaled',
        inputs: ['v', 'k'],
        outputs: ['out'],
        parameters: ['alpha'],
        defaults: new Map(),
        nodes: [
          createNode({ id: 'mul', op: 'Mul', inputs: ['v', 'k'], outputs: ['m'] }),
          {
            ...createNode({ id: 'leaky', op: 'LeakyRelu', inputs: ['m'], outputs: ['r'] }),
            attributes: new Map([['alpha', { kind: 'reference', value: 'alpha', of: 'float' }]]),
          },
          createNode({ id: 'double', op: 'local::doubled', inputs: ['r'], outputs: ['out'] }),
        ],
        values: new Map(),
        opsets: new Map([
          ['', 17],
          ['local', 1],
        ]),
      },
      {
        op: 'local::doubled',
        inputs: ['v'],
        outputs: ['out'],
        parameters: [],
        defaults: new Map(),
        nodes: [createNode({ id: 'sum', op: 'Add', inputs: ['v', 'v'], outputs: ['out'] })],
        values: new Map(),
        opsets: new Map([['', 17]]),
      },
    ],
  });

describe('inlineFunctions', () => {
  it('replaces calls of functions, and of the functions they call, by plain nodes that compute the same', async () => {
    const graph = called();
    const plain = inlineFunctions(graph);
    expect(plain.nodes.map(({ op }) => op)).toEqual(['Mul', 'LeakyRelu', 'Add', 'Mul', 'LeakyRelu', 'Add']);
    expect(plain.functions).toEqual([]);
    // By hand: 1 -> 3 -> 6 -> 18 -> 36; -1 -> -3 -> -1.5 -> -3 -> -9 -> -4.5 -> -9.
    const y = await runOnnx(plain, new Map([['x', floats([1, -1])]]));
    expect([...(y.get('y')?.data ?? [])]).toEqual([36, -9]);
  });

  it('leaves a graph without functions as it is, and one that it has inlined', () => {
    const plain = inlineFunctions(called());
    expect(inlineFunctions(plain)).toBe(plain);
  });

  it('leaves a call whose body needs another version of the operators', () => {
    const graph = called();
    const older = { ...graph, opsets: new Map([...graph.opsets, ['', 16] as const]) };
    expect(inlineFunctions(older).nodes).toBe(older.nodes);
  });

  it('ends where a function calls itself', () => {
    const graph = called();
    const circle = {
      ...graph,
      functions: graph.functions.map((each) =>
        each.op === 'local::doubled'
          ? { ...each, nodes: [createNode({ id: 'again', op: 'local::doubled', inputs: ['v'], outputs: ['out'] })] }
          : each,
      ),
    };
    expect(inlineFunctions(circle).functions.length).toBeGreaterThan(0);
  });

  it('is the first thing that simplify does', () => {
    expect(simplify(called()).nodes.every(({ op }) => !op.startsWith('local::'))).toBe(true);
  });
});
