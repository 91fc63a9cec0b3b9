import { describe, expect, it } from 'vitest';
import { float, int, ints, text } from './attribute.js';
import { createGraph, createNode } from './graph.js';
import { printGraph } from './print-graph.js';
import { floats, longs, type Tensor, tensor, zeros } from './tensor.js';

describe('printGraph', () => {
  it('prints every part of a graph as readable text', () => {
    const body = createGraph({
      inputs: ['i'],
      outputs: ['o'],
      nodes: [createNode({ id: 'n', op: 'Neg', inputs: ['i'], outputs: ['o'] })],
      opsets: new Map(),
    });
    const graph = createGraph({
      name: 'net',
      inputs: ['x'],
      outputs: ['y', 's'],
      opsets: new Map([
        ['', 17],
        ['com.microsoft', 1],
      ]),
      constants: new Map<string, Tensor>([
        ['w', zeros('float32', [4, 3])],
        ['axes', longs([0, -1])],
        ['names', tensor('string', [2], ['a', 'b"c'])],
        ['z', zeros('complex64', [1])],
      ]),
      values: new Map([
        ['x', { dtype: 'float32', shape: ['batch', 4] }],
        ['y', { dtype: 'float32' }],
        ['s', { dtype: 'int64', shape: [1], container: ['optional', { mapFrom: 'int64' }] }],
      ]),
      nodes: [
        createNode({ id: 'm', op: 'MatMul', inputs: ['x', 'w'], outputs: ['h'] }),
        createNode({
          id: 'c',
          op: 'com.microsoft::Thing',
          inputs: ['h', undefined, 'axes'],
          outputs: ['t', undefined],
          attributes: {
            pads: ints([1, 2]),
            alpha: float(0.5),
            group: int(2),
            mode: text('a"b'),
            names: { kind: 'texts', value: ['p', 'q'] },
            scales: { kind: 'floats', value: [0.5, 2] },
            value: { kind: 'tensor', value: floats([1, 2]) },
            values: { kind: 'tensors', value: [floats([1]), zeros('int8', [9])] },
            raw: { kind: 'bytes', value: new Uint8Array(3) },
            like: { kind: 'type', value: { dtype: 'int8', shape: [2] } },
            likes: { kind: 'types', value: [{ dtype: 'int8' }] },
            of: { kind: 'reference', value: 'outer', of: 'int' },
          },
        }),
        createNode({
          id: 'l',
          op: 'Loop',
          inputs: ['t'],
          outputs: ['y', 's'],
          attributes: { body: { kind: 'graph', value: body }, more: { kind: 'graphs', value: [body] } },
        }),
      ],
    });
    expect(printGraph(graph)).toMatchInlineSnapshot(`
      "graph "net" (opset 17, com.microsoft 1)
        in  x: float32[batch,4]
        w: float32[4,3]
        axes: int64[2] = 0 -1
        names: string[2] = "a" "b\\"c"
        z: complex64[1]
        h = MatMul(x, w)
        t, _ = com.microsoft::Thing(h, _, axes) {alpha=0.5, group=2, like=int8[2], likes=[int8[...]], mode="a\\"b", names=["p","q"], of=@outer, pads=[1,2], raw=3 bytes, scales=[0.5,2], value=float32[2] = 1 2, values=[float32[1] = 1; int8[9]]}
        y: float32[...], s: optional<map<int64, int64[1]>> = Loop(t)
          body:
            in  i
            o = Neg(i)
            out o
          more:
            in  i
            o = Neg(i)
            out o
        out y
        out s
      "
    `);
  });
});
