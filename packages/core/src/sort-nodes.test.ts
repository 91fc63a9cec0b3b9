import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createGraph, createNode } from './graph.js';
import { sortNodes } from './sort-nodes.js';

const node = (id: string, ...inputs: readonly string[]) => createNode({ id, op: 'Add', inputs, outputs: [`${id}!`] });
const ids = (nodes: readonly { readonly id: string }[]) => nodes.map((each) => each.id).join(' ');

describe('sortNodes', () => {
  it('puts nodes after what they read and keeps the order of sorted ones', () => {
    expect(ids(sortNodes([node('c', 'b!'), node('a'), node('b', 'a!'), node('d', 'x')]))).toBe('a b c d');
    expect(ids(sortNodes([node('a'), node('z'), node('b', 'a!'), node('c')]))).toBe('a z b c');
  });

  it('counts what subgraphs read', () => {
    const body = createGraph({ inputs: [], outputs: ['late!'], nodes: [] });
    const branch = createNode({
      id: 'if',
      op: 'If',
      inputs: [],
      outputs: ['y'],
      attributes: { then_branch: { kind: 'graph', value: body } },
    });
    expect(ids(sortNodes([branch, node('late')]))).toBe('late if');
  });

  it('names a node on a cycle', () => {
    expect(() => sortNodes([node('a', 'c!'), node('b', 'a!'), node('c', 'b!')])).toThrowErrorMatchingInlineSnapshot(
      `[EspalierError: node "b" (Add): expected an acyclic graph, found a cycle through node "a". The model is malformed: no node may depend on its own output.]`,
    );
    expect(() => sortNodes([node('self', 'self!')])).toThrow(expect.objectContaining({ code: 'GRAPH_CYCLE' }));
  });

  it('handles chains of 100,000 nodes in any order', () => {
    const chain = Array.from({ length: 100_000 }, (_, i) => node(`n${i}`, `n${i - 1}!`));
    expect(sortNodes([...chain].reverse()).at(-1)?.id).toBe('n99999');
  });

  it('gives every node once, after all it reads, for any acyclic graph', () => {
    const edges = fc.array(fc.tuple(fc.nat(19), fc.nat(19)), { maxLength: 60 });
    fc.assert(
      fc.property(edges, fc.shuffledSubarray([...Array(20).keys()], { minLength: 20 }), (pairs, order) => {
        const reads = (i: number) =>
          pairs.filter(([from, to]) => Math.max(from, to) === i && from !== to).map((pair) => `n${Math.min(...pair)}!`);
        const sorted = sortNodes(order.map((i) => node(`n${i}`, ...reads(i))));
        const made = new Set<string>();
        for (const each of sorted) {
          for (const input of each.inputs) expect(made.has(input!)).toBe(true);
          made.add(each.outputs[0]!);
        }
        expect(made.size).toBe(20);
      }),
    );
  });
});
