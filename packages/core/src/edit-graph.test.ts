import { describe, expect, it } from 'vitest';
import { editGraph, redirectNode } from './edit-graph.js';
import { createGraph, createNode } from './graph.js';
import { floats } from './tensor.js';

const node = (id: string, inputs: readonly (string | undefined)[], outputs: readonly string[]) =>
  createNode({ id, op: 'Add', inputs, outputs });
const inner = createGraph({ inputs: ['k'], outputs: ['p'], nodes: [node('deep', ['k', 'h'], ['p'])] });
const body = createGraph({
  inputs: [],
  outputs: ['h'],
  nodes: [
    createNode({
      id: 'loop',
      op: 'Loop',
      inputs: ['h'],
      outputs: ['l'],
      attributes: { body: { kind: 'graph', value: inner } },
    }),
  ],
});
const shadow = createGraph({ inputs: ['h'], outputs: ['h'], nodes: [node('s', ['h', 'x'], ['t'])] });
const branch = createNode({
  id: 'if',
  op: 'If',
  inputs: ['h'],
  outputs: ['y'],
  attributes: { then_branch: { kind: 'graph', value: body }, all: { kind: 'graphs', value: [shadow] } },
});
const graph = createGraph({
  inputs: ['x'],
  outputs: ['y', 'h'],
  nodes: [node('a', ['x', 'w'], ['h']), branch],
  constants: new Map([['w', floats([1])]]),
  values: new Map([['h', { dtype: 'float32' }]]),
});
const ids = (nodes: readonly { readonly id: string }[]) => nodes.map((each) => each.id).join(' ');

describe('editGraph', () => {
  it('gives the same object back when nothing was noted', () => {
    const draft = editGraph(graph);
    draft.fresh('w');
    expect(draft.finish()).toBe(graph);
  });

  it('never changes the graph it was given', () => {
    const before = JSON.stringify([...graph.constants.keys(), ...graph.nodes.map((each) => each.inputs)]);
    const draft = editGraph(graph);
    draft.setConstant('w', floats([2]));
    draft.redirect('h', 'x');
    draft.replace('a');
    draft.finish();
    expect(JSON.stringify([...graph.constants.keys(), ...graph.nodes.map((each) => each.inputs)])).toBe(before);
    expect(graph.constants.get('w')?.data[0]).toBe(1);
  });

  it('puts nodes where they are asked for, in the order asked', () => {
    const draft = editGraph(graph);
    draft.insertBefore('if', node('b1', [], ['1']));
    draft.insertAfter('a', node('a1', [], ['2']));
    draft.insertBefore('if', node('b2', [], ['3']));
    draft.insertAfter('a', node('a2', [], ['4']));
    draft.append(node('last', [], ['5']));
    draft.prepend(node('first', [], ['6']));
    draft.replace('a', node('new1', [], ['7']), node('new2', [], ['h']));
    expect(ids(draft.finish().nodes)).toBe('first new1 new2 a1 a2 b1 b2 if last');
  });

  it('removes a node that is replaced by none', () => {
    const draft = editGraph(graph);
    draft.replace('a');
    expect(ids(draft.finish().nodes)).toBe('if');
  });

  it('redirects readers, inside subgraphs too, but not where the name is their own, and not graph outputs', () => {
    const draft = editGraph(graph);
    draft.redirect('h', 'g');
    const edited = draft.finish();
    const [a, after] = edited.nodes;
    expect(a).toBe(graph.nodes[0]);
    expect(edited.outputs).toEqual(['y', 'h']);
    expect(after?.inputs).toEqual(['g']);
    const then = after?.attributes.get('then_branch');
    expect(then?.kind === 'graph' && then.value.outputs).toEqual(['g']);
    const loop = then?.kind === 'graph' ? then.value.nodes[0] : undefined;
    expect(loop?.inputs).toEqual(['g']);
    const deep = loop?.attributes.get('body');
    expect(deep?.kind === 'graph' && deep.value.nodes[0]?.inputs).toEqual(['k', 'g']);
    const all = after?.attributes.get('all');
    expect(all?.kind === 'graphs' && all.value[0]).toBe(shadow);
  });

  it('follows chains of redirects and stops at circles', () => {
    const draft = editGraph(graph);
    draft.redirect('h', 'h1');
    draft.redirect('h1', 'h2');
    expect(draft.finish().nodes[1]?.inputs).toEqual(['h2']);
    const circle = editGraph(graph);
    circle.redirect('h', 'g');
    circle.redirect('g', 'h');
    expect(['g', 'h']).toContain(circle.finish().nodes[1]?.inputs[0]);
  });

  it('redirects the nodes it puts in as well', () => {
    const draft = editGraph(graph);
    draft.insertAfter('a', node('b', ['h'], ['b_out']));
    draft.redirect('h', 'x');
    expect(draft.finish().nodes[1]?.inputs).toEqual(['x']);
  });

  it('sets and removes constants, infos, inputs, outputs and opsets, sharing the rest', () => {
    const draft = editGraph(graph);
    draft.setConstant('v', floats([3]));
    draft.removeConstant('w');
    draft.setInfo('h', undefined);
    draft.setInfo('y', { dtype: 'int8' });
    draft.setInputs(['x', 'z']);
    draft.setOutputs(['y']);
    draft.setOpset('com.microsoft', 1);
    const edited = draft.finish();
    expect([...edited.constants.keys()]).toEqual(['v']);
    expect([...edited.values]).toEqual([['y', { dtype: 'int8' }]]);
    expect(edited.inputs).toEqual(['x', 'z']);
    expect(edited.outputs).toEqual(['y']);
    expect([...edited.opsets]).toEqual([
      ['', 17],
      ['com.microsoft', 1],
    ]);
    expect(edited.nodes).toBe(graph.nodes);
  });

  it('finds names that nothing uses, subgraphs and earlier finds included', () => {
    const draft = editGraph(graph);
    expect([
      draft.fresh('new'),
      draft.fresh('new'),
      draft.fresh('h'),
      draft.fresh('p'),
      draft.fresh('if'),
      draft.fresh('k'),
    ]).toEqual(['new', 'new_1', 'h_1', 'p_1', 'if_1', 'k_1']);
  });

  it('refuses to edit around a node that is not there', () => {
    expect(() => editGraph(graph).replace('nothing')).toThrowErrorMatchingInlineSnapshot(
      `[EspalierError: edit: expected the id of a node of the graph, found "nothing".]`,
    );
    expect(() => editGraph(graph).insertAfter('nothing')).toThrow(expect.objectContaining({ code: 'GRAPH_UNDEFINED' }));
  });
});

describe('redirectNode', () => {
  it('gives the same node back when it reads none of the names', () => {
    expect(redirectNode(branch, new Map([['nothing', 'x']]))).toBe(branch);
    expect(redirectNode(branch, new Map())).toBe(branch);
    expect(redirectNode(node('o', [undefined, 'q'], []), new Map([['q', 'r']])).inputs).toEqual([undefined, 'r']);
  });
});
