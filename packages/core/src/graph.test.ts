import { describe, expect, it } from 'vitest';
import { float, floatOf, floatsOf, int, intOf, ints, intsOf, tensorOf, text, textOf } from './attribute.js';
import { createGraph, createNode, domainOf, opsetOf, staticShape, tensorInfo } from './graph.js';
import { indexOf, usesOf } from './graph-index.js';
import { outerReferences, subgraphsOf } from './subgraphs.js';
import { floats, zeros } from './tensor.js';

const relu = createNode({ id: 'r', op: 'Relu', inputs: ['x'], outputs: ['y'] });

describe('graphs', () => {
  it('have empty defaults and opset 17', () => {
    const graph = createGraph({ inputs: ['x'], outputs: ['y'], nodes: [relu] });
    expect(opsetOf(graph)).toBe(17);
    expect(opsetOf(graph, 'com.microsoft')).toBe(0);
    expect(graph.constants.size + graph.values.size + graph.functions.length).toBe(0);
  });

  it('name the domain of an op', () => {
    expect(domainOf('Conv')).toBe('');
    expect(domainOf('com.microsoft::MatMulNBits')).toBe('com.microsoft');
  });

  it('tell the type of plain tensors, constants first', () => {
    const graph = createGraph({
      inputs: ['x', 's'],
      outputs: ['y'],
      nodes: [relu],
      constants: new Map([['w', floats([1, 2])]]),
      values: new Map([
        ['x', { dtype: 'float32', shape: ['batch', 4] }],
        ['s', { dtype: 'float32', shape: [1], container: ['sequence'] }],
        ['w', { dtype: 'int8', shape: [9] }],
      ]),
    });
    expect(tensorInfo(graph, 'w')).toMatchObject({ dtype: 'float32', shape: [2] });
    expect(tensorInfo(graph, 's')).toBeUndefined();
    expect(tensorInfo(graph, 'nothing')).toBeUndefined();
    expect(staticShape(graph, 'x')).toBeUndefined();
    expect(staticShape(graph, 'w')).toEqual([2]);
  });
});

describe('attributes', () => {
  const node = createNode({
    id: 'c',
    op: 'Conv',
    inputs: ['x'],
    outputs: ['y'],
    attributes: {
      group: int(2),
      pads: ints([1, 1]),
      alpha: float(0.5),
      mode: text('same'),
      scales: { kind: 'floats', value: [1.5] },
      value: { kind: 'tensor', value: zeros('int8', [1]) },
    },
  });

  it('are read by kind, or replaced by the fallback', () => {
    expect(intOf(node, 'group', 1)).toBe(2);
    expect(intOf(node, 'none', 1)).toBe(1);
    expect(intOf(node, 'none', undefined)).toBeUndefined();
    expect(intsOf(node, 'pads', [])).toEqual([1, 1]);
    expect(floatOf(node, 'alpha', 1)).toBe(0.5);
    expect(floatsOf(node, 'scales', undefined)).toEqual([1.5]);
    expect(textOf(node, 'mode', '')).toBe('same');
    expect(tensorOf(node, 'value', undefined)?.dtype).toBe('int8');
  });

  it('refuse another kind', () => {
    expect(() => intOf(node, 'mode', 1)).toThrowErrorMatchingInlineSnapshot(
      `[EspalierError: node "c" (Conv), attribute "mode": expected kind int, found kind text. The file or the pass that made this node wrote the wrong kind of attribute.]`,
    );
  });
});

const inner = createGraph({
  name: 'inner',
  inputs: ['i'],
  outputs: ['deep'],
  nodes: [createNode({ id: 'n', op: 'Add', inputs: ['i', 'outside'], outputs: ['deep'] })],
});
const body = createGraph({
  name: 'body',
  inputs: [],
  outputs: ['out', 'x'],
  nodes: [
    createNode({ id: 'a', op: 'Relu', inputs: ['y'], outputs: ['own'] }),
    createNode({
      id: 'loop',
      op: 'Loop',
      inputs: ['own', undefined],
      outputs: ['out'],
      attributes: { body: { kind: 'graph', value: inner } },
    }),
  ],
});
const branch = createNode({
  id: 'if',
  op: 'If',
  inputs: ['cond'],
  outputs: ['z'],
  attributes: { then_branch: { kind: 'graph', value: body }, more: { kind: 'graphs', value: [inner] } },
});

describe('subgraphs', () => {
  it('are found in attributes', () => {
    expect(subgraphsOf(branch)).toEqual([body, inner]);
    expect(subgraphsOf(relu)).toEqual([]);
  });

  it('read values of the graphs around them at any depth, outputs included', () => {
    expect([...outerReferences(branch)]).toEqual(['y', 'outside', 'x']);
    expect(outerReferences(relu).size).toBe(0);
  });
});

describe('the index of a graph', () => {
  const graph = createGraph({
    inputs: ['x', 'cond', 'outside'],
    outputs: ['z'],
    nodes: [relu, createNode({ id: 'twice', op: 'Add', inputs: ['y', 'y'], outputs: ['t', undefined] }), branch],
  });

  it('knows who makes and who reads each value', () => {
    expect(indexOf(graph).producer.get('t')?.id).toBe('twice');
    expect(indexOf(graph).node.get('if')).toBe(branch);
    expect(usesOf(graph, 'y').map(({ node, slot }) => [node.id, slot])).toEqual([
      ['twice', 0],
      ['twice', 1],
      ['if', -1],
    ]);
    expect(usesOf(graph, 'z')).toEqual([]);
  });

  it('is made once for each graph object', () => {
    expect(indexOf(graph)).toBe(indexOf(graph));
    expect(indexOf({ ...graph })).not.toBe(indexOf(graph));
  });
});
