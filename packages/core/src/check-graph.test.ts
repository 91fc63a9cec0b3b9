import { describe, expect, it } from 'vitest';
import { checkGraph } from './check-graph.js';
import { createGraph, createNode, type Graph, type GraphParts } from './graph.js';
import { floats } from './tensor.js';

const node = (id: string, inputs: readonly string[], outputs: readonly string[]) =>
  createNode({ id, op: 'Add', inputs, outputs });
const graph = (parts: Partial<GraphParts>): Graph =>
  createGraph({ name: 'net', inputs: ['x'], outputs: ['y'], nodes: [node('a', ['x', 'x'], ['y'])], ...parts });
const branch = (body: Graph) =>
  createNode({
    id: 'if',
    op: 'If',
    inputs: ['x'],
    outputs: ['y'],
    attributes: { then_branch: { kind: 'graph', value: body } },
  });

describe('checkGraph', () => {
  it('returns the same graph when it is sound', () => {
    const sound = graph({ constants: new Map([['w', floats([1])]]) });
    expect(checkGraph(sound)).toBe(sound);
  });

  it('lets subgraphs read what stands before them around them', () => {
    const body = createGraph({ inputs: [], outputs: ['o'], nodes: [node('b', ['x', 'w'], ['o'])] });
    const sound = graph({ nodes: [branch(body)], constants: new Map([['w', floats([1])]]) });
    expect(checkGraph(sound)).toBe(sound);
  });

  it('says what is wrong and where', () => {
    const broken: readonly Graph[] = [
      graph({ inputs: ['x', 'x'] }),
      graph({ constants: new Map([['x', floats([1])]]) }),
      graph({ nodes: [node('a', ['x'], ['y']), node('a', ['x'], ['z'])] }),
      graph({ nodes: [node('a', ['x'], ['y']), node('b', ['x'], ['y'])] }),
      graph({ nodes: [node('a', ['X'], ['y'])] }),
      graph({ nodes: [node('a', ['b_out'], ['y']), node('b', ['y'], ['b_out'])] }),
      graph({ outputs: ['nothing_like_it'] }),
      graph({ constants: new Map([['w', { dtype: 'float32', shape: [3], data: new Float32Array(2) }]]) }),
      graph({
        nodes: [
          branch(createGraph({ inputs: [], outputs: ['o'], nodes: [node('b', ['later', 'x'], ['o'])] })),
          node('c', ['x'], ['later']),
        ],
      }),
      graph({
        nodes: [
          branch(
            createGraph({ inputs: [], outputs: ['o'], nodes: [node('b', ['x'], ['o']), node('c', ['x'], ['o'])] }),
          ),
        ],
      }),
    ];
    const messages = broken.map((each) => {
      try {
        checkGraph(each);
        return 'no error';
      } catch (error) {
        return `${(error as { code: string }).code} | ${(error as Error).message}`;
      }
    });
    expect(messages.join('\n')).toMatchInlineSnapshot(`
      "GRAPH_DUPLICATE | graph "net", inputs: expected each value to be defined once, found "x" defined again. Rename one of the two.
      GRAPH_DUPLICATE | constant "x": expected each value to be defined once, found "x" defined again. Rename one of the two.
      GRAPH_DUPLICATE | node "a" (Add): expected unique node ids, found "a" twice.
      GRAPH_DUPLICATE | node "b" (Add): expected each value to be defined once, found "y" defined again. Rename one of the two.
      GRAPH_UNDEFINED | node "a" (Add): expected a value that an input, a constant or an earlier node defines, found "X". Did you mean "x"? Nodes must stand in topological order, without cycles.
      GRAPH_UNDEFINED | node "a" (Add): expected a value that an input, a constant or an earlier node defines, found "b_out". Nodes must stand in topological order, without cycles.
      GRAPH_UNDEFINED | graph "net", outputs: expected a value that an input, a constant or an earlier node defines, found "nothing_like_it". Nodes must stand in topological order, without cycles.
      GRAPH_CONSTANT | constant "w": expected 3 stored elements for float32[3], found 2.
      GRAPH_UNDEFINED | node "if" (If), subgraph: expected a value that an input, a constant or an earlier node defines, found "later". Nodes must stand in topological order, without cycles.
      GRAPH_DUPLICATE | node "c" (Add): expected each value to be defined once, found "o" defined again. Rename one of the two."
    `);
  });

  it('takes linear time over many subgraphs', () => {
    const body = createGraph({ inputs: [], outputs: ['x'], nodes: [] });
    const nodes = Array.from({ length: 20_000 }, (_, i) => ({
      ...branch(body),
      id: `if${i}`,
      outputs: [i === 0 ? 'y' : `y${i}`],
    }));
    const started = performance.now();
    checkGraph(graph({ nodes }));
    expect(performance.now() - started).toBeLessThan(2000);
  });
});
