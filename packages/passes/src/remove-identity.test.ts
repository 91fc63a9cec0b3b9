import {
  type Attribute,
  createGraph,
  createNode,
  type Dim,
  floats,
  fromNumbers,
  type Graph,
  int,
  ints,
  longs,
  type Node,
  scalar,
  type Tensor,
} from '@espalier/core';
import { inferShapes } from '@espalier/ops';
import { describe, expect, test } from 'vitest';
import { expectLossless } from '../../../test/expect-lossless.js';
import { removeDeadNodes } from './remove-dead-nodes.js';
import { removeIdentity } from './remove-identity.js';

type Step = readonly [op: string, constants?: readonly (Tensor | undefined)[], attributes?: Record<string, Attribute>];

/** Steps in a row between two Tanh nodes, so that nothing touches the graph's ends. */
function between(shape: readonly Dim[], steps: readonly Step[], opset = 17): Graph {
  const constants = new Map<string, Tensor>();
  const all: readonly Step[] = [['Tanh'], ...steps, ['Tanh']];
  const nodes: Node[] = all.map(([op, own = [], attributes = {}], i) => {
    const names = own.map((tensor, k) => {
      if (tensor) constants.set(`c${i}_${k}`, tensor);
      return tensor && `c${i}_${k}`;
    });
    const inputs = [i === 0 ? 'x' : `v${i - 1}`, ...names];
    return createNode({ id: `n${i}`, op, inputs, outputs: [i === all.length - 1 ? 'y' : `v${i}`], attributes });
  });
  return inferShapes(
    createGraph({
      inputs: ['x'],
      outputs: ['y'],
      nodes,
      constants,
      values: new Map([['x', { dtype: 'float32', shape }]]),
      opsets: new Map([['', opset]]),
    }),
  );
}

const perm = (...order: readonly number[]): Record<string, Attribute> => ({ perm: ints(order) });
const yes = fromNumbers('bool', [], [1]);

const nothing: Readonly<Record<string, readonly Step[]>> = {
  Identity: [['Identity']],
  'a chain of identities': [['Identity'], ['Identity'], ['Dropout']],
  'Dropout in training mode with ratio 0': [['Dropout', [scalar(0), yes]]],
  'a Cast to the same dtype': [['Cast', [], { to: int(1) }]],
  'a Cast there and back': [
    ['Cast', [], { to: int(11) }],
    ['Cast', [], { to: int(1) }],
  ],
  'a Reshape to the same shape': [['Reshape', [longs([0, 3, 4])]]],
  'reshapes that end where they began': [['Flatten'], ['Unsqueeze', [longs([0])]], ['Reshape', [longs([-1, 3, 4])]]],
  'a Transpose in order': [['Transpose', [], perm(0, 1, 2)]],
  'a Transpose there and back': [
    ['Transpose', [], perm(1, 2, 0)],
    ['Transpose', [], perm(2, 0, 1)],
  ],
  'a Pad of nothing': [['Pad', [longs([0, 0, 0, 0, 0, 0])]]],
  'a Slice of everything': [['Slice', [longs([0]), longs([99]), longs([1])]]],
  'a Concat of one': [['Concat', [], { axis: int(1) }]],
  'an Expand to ones': [['Expand', [longs([1, 3, 1])]]],
  'a Tile of one each': [['Tile', [longs([1, 1, 1])]]],
  'a Split into one': [['Split', [longs([3])], { axis: int(1) }]],
  'times one': [
    ['Mul', [scalar(1)]],
    ['Div', [floats([1, 1, 1, 1])]],
    ['Pow', [scalar(1)]],
  ],
  'plus zero': [
    ['Add', [floats([0, 0, 0], [3, 1])]],
    ['Sub', [scalar(0)]],
  ],
  'a Resize by one': [['Resize', [floats([]), floats([1, 1, 1])]]],
  'the sum of one': [['Sum'], ['Max'], ['Mean']],
};

describe('nodes that return what they are given go', () => {
  test.each(Object.entries(nothing))('%s', async (_, steps) => {
    const result = await expectLossless(removeIdentity, between(['batch', 3, 4], steps));
    expect(removeDeadNodes(result).nodes.map(({ op }) => op)).toEqual(['Tanh', 'Tanh']);
  });
});

describe('nodes that change something stay', () => {
  const kept: Readonly<Record<string, Step>> = {
    'Dropout that may train': ['Dropout', [scalar(0.5), yes]],
    'a Slice backwards': ['Slice', [longs([-1]), longs([-99]), longs([1]), longs([-1])]],
    'a Pad that shifts': ['Pad', [longs([0, 1, 0, 0, -1, 0])]],
    'times one with a new axis': ['Mul', [floats([1], [1, 1, 1, 1])]],
    'plus zeros that broadcast': ['Add', [floats(new Float32Array(6), [6, 1, 1])]],
    'almost one': ['Mul', [scalar(1.0000001)]],
    'one divided by it': ['Reciprocal'],
    'a real Transpose': ['Transpose', [], perm(0, 2, 1)],
  };
  test.each(Object.entries(kept))('%s', (_, step) => {
    const graph = between([1, 3, 4], [step]);
    expect(removeIdentity(graph)).toBe(graph);
  });
});

test('two Transposes, Reshapes and exact Casts become one', async () => {
  const twice = between(
    [2, 3, 4],
    [
      ['Transpose', [], perm(1, 2, 0)],
      ['Transpose', [], perm(0, 2, 1)],
    ],
  );
  const both = await expectLossless(removeIdentity, twice);
  expect(both.nodes[2]?.inputs[0]).toBe('v0');
  const reshapes = await expectLossless(
    removeIdentity,
    between(
      [2, 6],
      [
        ['Reshape', [longs([12])]],
        ['Reshape', [longs([3, -1])]],
      ],
    ),
  );
  expect(reshapes.nodes[2]?.inputs[0]).toBe('v0');
  const copies = between(
    [2, 6],
    [
      ['Reshape', [longs([3, 4])]],
      ['Reshape', [longs([0, 2, 2])]],
    ],
  );
  expect(removeIdentity(copies)).toBe(copies);
});

test('an inexact Cast on the way is kept', () => {
  const graph = between(
    [4],
    [
      ['Cast', [], { to: int(10) }],
      ['Cast', [], { to: int(1) }],
    ],
  );
  expect(removeIdentity(graph)).toBe(graph);
});

describe('graph outputs keep their names', () => {
  const graphOf = (nodes: readonly Node[], outputs: readonly string[]): Graph =>
    inferShapes(
      createGraph({ inputs: ['x'], outputs, nodes, values: new Map([['x', { dtype: 'float32', shape: [3] }]]) }),
    );
  const identity = (from: string, to: string) =>
    createNode({ id: `${from}${to}`, op: 'Identity', inputs: [from], outputs: [to] });
  const relu = createNode({ id: 'r', op: 'Relu', inputs: ['x'], outputs: ['a'] });

  test('the node that makes the value takes the name', async () => {
    const result = await expectLossless(removeIdentity, graphOf([relu, identity('a', 'b'), identity('b', 'y')], ['y']));
    expect(result.nodes.map(({ op, outputs }) => [op, ...outputs])).toEqual([['Relu', 'y']]);
  });

  test('one value under two names keeps one identity', async () => {
    const result = await expectLossless(
      removeIdentity,
      graphOf([relu, identity('a', 'y'), identity('a', 'z')], ['y', 'z']),
    );
    expect(result.nodes).toHaveLength(2);
  });

  test('an input that is returned stays behind its identity', async () => {
    const graph = graphOf([identity('x', 'y')], ['y']);
    expect(await expectLossless(removeIdentity, graph)).toBe(graph);
  });

  test('a value that is an output itself keeps the second name too', async () => {
    const graph = graphOf([relu, identity('a', 'y')], ['a', 'y']);
    expect(await expectLossless(removeIdentity, graph)).toBe(graph);
  });
});

test('a body that reads a removed value reads its source', () => {
  const body: Graph = {
    ...createGraph({
      inputs: [],
      outputs: ['o'],
      nodes: [createNode({ id: 'in', op: 'Neg', inputs: ['b'], outputs: ['o'] })],
    }),
    opsets: new Map(),
  };
  const graph = createGraph({
    inputs: ['x', 'c'],
    outputs: ['y'],
    nodes: [
      createNode({ id: 'r', op: 'Relu', inputs: ['x'], outputs: ['a'] }),
      createNode({ id: 'i', op: 'Identity', inputs: ['a'], outputs: ['b'] }),
      createNode({
        id: 'if',
        op: 'If',
        inputs: ['c'],
        outputs: ['y'],
        attributes: { then_branch: { kind: 'graph', value: body }, else_branch: { kind: 'graph', value: body } },
      }),
    ],
    values: new Map([
      ['x', { dtype: 'float32', shape: [2] }],
      ['c', { dtype: 'bool', shape: [] }],
      ['y', { dtype: 'float32' }],
    ]),
  });
  const result = removeIdentity(graph);
  const branch = result.nodes.at(-1)?.attributes.get('then_branch');
  expect(branch?.kind === 'graph' && branch.value.nodes[0]?.inputs).toEqual(['a']);
});
