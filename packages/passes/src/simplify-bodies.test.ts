import {
  type Attribute,
  checkGraph,
  createGraph,
  createNode,
  floats,
  type Graph,
  type Tensor,
  tensor,
} from '@espalier/core';
import { describe, expect, it } from 'vitest';
import { largestDifference, runOnnx } from '../../../test/run-onnx.js';
import { simplify } from './simplify.js';

const constant = (id: string, value: Attribute) =>
  createNode({ id, op: 'Constant', inputs: [], outputs: [id], attributes: { value } });
const twos: Attribute = { kind: 'tensor', value: floats(Float32Array.of(2, 2), [2]) };

/** Two Constant nodes, their sum, an Identity, and a Transpose of a large weight of the whole graph. */
const branch = (): Graph =>
  createGraph({
    inputs: [],
    outputs: ['out'],
    opsets: new Map(),
    nodes: [
      constant('a', twos),
      constant('b', twos),
      createNode({ id: 'sum', op: 'Add', inputs: ['a', 'b'], outputs: ['ab'] }),
      createNode({ id: 'same', op: 'Identity', inputs: ['ab'], outputs: ['again'] }),
      createNode({ id: 'turn', op: 'Transpose', inputs: ['w'], outputs: ['wt'] }),
      createNode({ id: 'dot', op: 'MatMul', inputs: ['x', 'wt'], outputs: ['h'] }),
      createNode({ id: 'plus', op: 'Add', inputs: ['h', 'again'], outputs: ['out'] }),
    ],
  });

const graph = createGraph({
  inputs: ['x', 'which'],
  outputs: ['y'],
  opsets: new Map([['', 17]]),
  values: new Map([
    ['x', { dtype: 'float32', shape: [3, 400] }],
    ['which', { dtype: 'bool', shape: [] }],
    ['y', { dtype: 'float32', shape: [3, 2] }],
  ]),
  constants: new Map([
    [
      'w',
      floats(
        Float32Array.from({ length: 800 }, (_, i) => Math.sin(i)),
        [2, 400],
      ),
    ],
  ]),
  nodes: [
    createNode({
      id: 'if',
      op: 'If',
      inputs: ['which'],
      outputs: ['y'],
      attributes: { then_branch: { kind: 'graph', value: branch() }, else_branch: { kind: 'graph', value: branch() } },
    }),
  ],
});

const bodiesOf = (simple: Graph): readonly Graph[] =>
  [...simple.nodes[0]!.attributes.values()].flatMap((each) => (each.kind === 'graph' ? [each.value] : []));

describe('simplify in the branches of an If', () => {
  it('folds what a branch computes of its own constants, and copies no large one of the graph around', async () => {
    const simple = simplify(graph);
    checkGraph(simple);
    for (const body of bodiesOf(simple)) {
      expect(body.nodes.map(({ op }) => op)).toEqual(['Transpose', 'MatMul', 'Add']);
      expect([...body.constants.values()].map(({ shape }) => shape)).toEqual([[2]]);
    }
    for (const which of [0, 1]) {
      const feeds = new Map<string, Tensor>([
        [
          'x',
          floats(
            Float32Array.from({ length: 1200 }, (_, i) => Math.cos(i)),
            [3, 400],
          ),
        ],
        ['which', tensor('bool', [], Uint8Array.of(which))],
      ]);
      expect(largestDifference(await runOnnx(graph, feeds), await runOnnx(simple, feeds))).toBe(0);
    }
  });

  it('gives back the very graph the second time', () => {
    const simple = simplify(graph);
    expect(simplify(simple)).toBe(simple);
  });
});
