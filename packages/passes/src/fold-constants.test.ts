import {
  createGraph,
  createNode,
  type Dim,
  floats,
  fromNumbers,
  type Graph,
  int,
  longs,
  type Node,
  printGraph,
  scalar,
  type Tensor,
  tensor,
} from '@espalier/core';
import { evaluateNode, inferShapes } from '@espalier/ops';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { expectLossless } from '../../../test/expect-lossless.js';
import { foldConstants } from './fold-constants.js';
import { inOrder } from './in-order.js';
import { removeDeadNodes } from './remove-dead-nodes.js';

let count = 0;
const node = (
  op: string,
  inputs: Node['inputs'],
  output: string,
  attributes: Parameters<typeof createNode>[0]['attributes'] = {},
) => createNode({ id: `n${count++}`, op, inputs, outputs: [output], attributes });

const graphOf = (
  shape: readonly Dim[],
  nodes: readonly Node[],
  constants: Readonly<Record<string, Tensor>> = {},
  opset = 17,
): Graph =>
  createGraph({
    inputs: ['x'],
    outputs: ['y'],
    nodes,
    constants: new Map(Object.entries(constants)),
    values: new Map([['x', { dtype: 'float32', shape }]]),
    opsets: new Map([['', opset]]),
  });

const fold = inOrder(inferShapes, foldConstants, removeDeadNodes);

describe('chains of exporters vanish though the batch has a name', () => {
  test('a flatten written with Shape, Gather and Concat becomes [0, -1]', async () => {
    const graph = graphOf(
      ['batch', 3, 4],
      [
        node('Shape', ['x'], 'shape'),
        node('Gather', ['shape', 'zero'], 'batch', { axis: int(0) }),
        node('Unsqueeze', ['batch', 'axes'], 'row'),
        node('Concat', ['row', 'rest'], 'target', { axis: int(0) }),
        node('Reshape', ['x', 'target'], 'y'),
      ],
      { zero: longs([0], []), axes: longs([0]), rest: longs([-1]) },
    );
    expect(printGraph(await expectLossless(fold, graph))).toMatchInlineSnapshot(`
      "graph "graph" (opset 17)
        in  x: float32[batch,3,4]
        y_shape: int64[2] = 0 12
        y: float32[batch,12] = Reshape(x, y_shape)
        out y
      "
    `);
  });

  test('a channel shuffle keeps the batch and knows everything else', async () => {
    const graph = graphOf(
      ['batch', 4, 2, 3],
      [
        node('Shape', ['x'], 's'),
        node('Gather', ['s', 'i0'], 'b'),
        node('Gather', ['s', 'i1'], 'c'),
        node('Div', ['c', 'two'], 'half'),
        node('Slice', ['s', 'from', 'to'], 'hw'),
        node('Unsqueeze', ['b', 'i0v'], 'bv'),
        node('Unsqueeze', ['half', 'i0v'], 'halfv'),
        node('Concat', ['bv', 'twov', 'halfv', 'hw'], 'target', { axis: int(0) }),
        node('Reshape', ['x', 'target'], 'y'),
      ],
      {
        i0: longs([0], []),
        i1: longs([1], []),
        two: longs([2], []),
        i0v: longs([0]),
        twov: longs([2]),
        from: longs([2]),
        to: longs([4]),
      },
    );
    const folded = await expectLossless(fold, graph);
    expect(printGraph(folded)).toContain('y_shape: int64[5] = 0 2 2 2 3');
    expect(folded.nodes).toHaveLength(1);
  });

  test('zero-padding of channels computed from the shape becomes constant amounts', async () => {
    const graph = graphOf(
      ['batch', 4, 8, 8],
      [
        node('Shape', ['x'], 's'),
        node('Gather', ['s', 'one'], 'c'),
        node('Div', ['c', 'two'], 'half'),
        node('Unsqueeze', ['half', 'axes'], 'amount'),
        node('Concat', ['zero', 'amount', 'zeros', 'zero', 'amount', 'zeros'], 'pads', { axis: int(0) }),
        node('Cast', ['pads'], 'pads64', { to: int(7) }),
        node('Pad', ['x', 'pads64'], 'y'),
      ],
      { one: longs([1], []), two: longs([2], []), axes: longs([0]), zero: longs([0]), zeros: longs([0, 0]) },
    );
    const folded = await expectLossless(fold, graph);
    expect(printGraph(folded)).toContain('pads64: int64[8] = 0 2 0 0 0 2 0 0');
    expect(folded.nodes.map(({ op }) => op)).toEqual(['Pad']);
  });

  test('a slice to the end of a named axis and an expand to a named size need no shape', async () => {
    const graph = graphOf(
      ['batch', 3],
      [
        node('Shape', ['x'], 's'),
        node('Gather', ['s', 'zero'], 'b'),
        node('Slice', ['x', 'from', 'b', 'axis'], 'part'),
        node('Expand', ['part', 's'], 'y'),
      ],
      { zero: longs([0]), from: longs([0]), axis: longs([0]) },
    );
    const folded = await expectLossless(fold, graph);
    expect(folded.nodes.map(({ op }) => op)).toEqual(['Slice', 'Expand']);
  });

  test('two sizes that are not known leave the target alone', () => {
    const graph = graphOf(
      ['a', 'b', 'c'],
      [
        node('Shape', ['x'], 's'),
        node('Slice', ['s', 'from', 'to'], 'last'),
        node('Concat', ['last', 'minus'], 'target', { axis: int(0) }),
        node('Reshape', ['x', 'target'], 'y'),
      ],
      { from: longs([1]), to: longs([3]), minus: longs([-1]) },
    );
    expect(fold(graph).nodes.map(({ op }) => op)).toContain('Shape');
  });
});

describe('the rules of folding', () => {
  test('Constant nodes become constants, in whatever form', () => {
    const graph = graphOf(
      [2],
      [node('Constant', [], 'c', { value_float: { kind: 'float', value: 2 } }), node('Mul', ['x', 'c'], 'y')],
    );
    const folded = foldConstants(graph);
    expect(folded.nodes.map(({ op }) => op)).toEqual(['Mul']);
    expect(folded.constants.get('c')?.data[0]).toBe(2);
    expect(foldConstants(folded)).toBe(folded);
  });

  test('what would make the file larger than allowed stays a node', () => {
    const graph = graphOf([1000], [node('Expand', ['one', 'size'], 'ones'), node('Add', ['x', 'ones'], 'y')], {
      one: scalar(1),
      size: longs([1000]),
    });
    expect(foldConstants(graph, { maxGrowth: 3000 })).toBe(graph);
    expect(foldConstants(graph, { maxGrowth: 4000 }).nodes).toHaveLength(1);
  });

  test('a transposed weight costs nothing when nobody else reads the weight', () => {
    const nodes = [node('Transpose', ['w'], 'wt'), node('MatMul', ['x', 'wt'], 'y')];
    const weights = { w: floats(new Float32Array(600), [30, 20]) };
    const folded = foldConstants(graphOf([1, 30], nodes, { w: floats(new Float32Array(600), [20, 30]) }), {
      maxGrowth: 0,
    });
    expect([...folded.constants.keys()]).toEqual(['wt']);
    const shared = graphOf(
      [1, 20],
      [...nodes.slice(0, 1), node('MatMul', ['x', 'wt'], 'h'), node('MatMul', ['h', 'w'], 'y')],
      weights,
    );
    expect(foldConstants(shared, { maxGrowth: 0 })).toBe(shared);
  });

  test('a stored quantized weight is not turned back into floats, unless asked', () => {
    const graph = graphOf(
      [1, 2],
      [node('DequantizeLinear', ['w', 'scale', 'zero'], 'wf'), node('MatMul', ['x', 'wf'], 'y')],
      { w: fromNumbers('int8', [2, 2], [1, 2, 3, 4]), scale: scalar(0.5), zero: fromNumbers('int8', [], [0]) },
    );
    expect(foldConstants(graph)).toBe(graph);
    expect([...(foldConstants(graph, { dequantize: true }).constants.get('wf')?.data ?? [])]).toEqual([0.5, 1, 1.5, 2]);
  });

  test('unknown ops and nodes that make an output stay', () => {
    const graph = graphOf([1], [node('acme::Add', ['a', 'a'], 'b'), node('Add', ['a', 'a'], 'y')], { a: scalar(1) });
    expect(foldConstants({ ...graph, outputs: ['y', 'b'] }).nodes).toHaveLength(2);
  });

  test('an identity of a weight shares it instead of storing it twice', () => {
    const graph = graphOf(
      [1, 2],
      [node('Identity', ['w'], 'tied'), node('MatMul', ['x', 'tied'], 'h'), node('MatMul', ['h', 'w'], 'y')],
      {
        w: floats([1, 2, 3, 4], [2, 2]),
      },
    );
    const folded = foldConstants(graph);
    expect([...folded.constants.keys()]).toEqual(['w']);
    expect(folded.nodes.map(({ inputs }) => inputs[1])).toEqual(['w', 'w']);
  });
});

describe('an If whose condition is known becomes its branch', () => {
  const branch = (op: string): Graph => ({
    ...createGraph({ inputs: [], outputs: ['out'], nodes: [node(op, ['x'], 'inner'), node('Neg', ['inner'], 'out')] }),
    opsets: new Map(),
  });
  const graphWith = (condition: number) => {
    const choose = (id: string, input: string, output: string) =>
      createNode({
        id,
        op: 'If',
        inputs: [input],
        outputs: [output],
        attributes: {
          then_branch: { kind: 'graph', value: branch('Relu') },
          else_branch: { kind: 'graph', value: branch('Abs') },
        },
      });
    return graphOf([4], [choose('first', 'c', 'a'), choose('second', 'c', 'b'), node('Add', ['a', 'b'], 'y')], {
      c: fromNumbers('bool', [], [condition]),
    });
  };

  test.each([0, 1])('condition %i', async (condition) => {
    const folded = await expectLossless(foldConstants, graphWith(condition));
    expect(folded.nodes.map(({ op }) => op)).toEqual(
      condition ? ['Relu', 'Neg', 'Relu', 'Neg', 'Add'] : ['Abs', 'Neg', 'Abs', 'Neg', 'Add'],
    );
  });

  test('a branch that only hands on an outer value copies it', async () => {
    const pass = { ...createGraph({ inputs: [], outputs: ['x'], nodes: [] }), opsets: new Map() };
    const choose = createNode({
      id: 'if',
      op: 'If',
      inputs: ['c'],
      outputs: ['a'],
      attributes: { then_branch: { kind: 'graph', value: pass }, else_branch: { kind: 'graph', value: branch('Abs') } },
    });
    const graph = graphOf([4], [choose, node('Neg', ['a'], 'y')], { c: fromNumbers('bool', [], [1]) });
    expect(foldConstants(graph).nodes.map(({ op }) => op)).toEqual(['Identity', 'Neg']);
  });
});

describe('random chains of elementwise and movement ops fold to what onnxruntime computes', () => {
  const step = fc.oneof(
    fc
      .constantFrom('Neg', 'Abs', 'Floor', 'Sqrt', 'Tanh', 'Erf', 'Round', 'Sigmoid')
      .map((op) => ({ op, second: undefined })),
    fc.record({
      op: fc.constantFrom('Add', 'Mul', 'Sub', 'Max', 'Min'),
      second: fc.double({ min: -3, max: 3, noNaN: true }).map((v) => scalar(Math.fround(v))),
    }),
    fc.constant({ op: 'Transpose', second: undefined }),
    fc.constantFrom([-1], [0, -1], [3, 4], [2, 3, 2]).map((shape) => ({ op: 'Reshape', second: longs(shape) })),
    fc.constantFrom([1, 1], [3, 1, 1]).map((shape) => ({ op: 'Expand', second: longs(shape) })),
  );

  test('on a matrix of twelve', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 8 }), async (steps) => {
        const constants = new Map<string, Tensor>([
          [
            'v0',
            floats(
              Float32Array.from({ length: 12 }, (_, i) => i * 0.7 - 3),
              [3, 4],
            ),
          ],
        ]);
        const nodes: Node[] = [];
        let value = constants.get('v0')!;
        for (const { op, second } of steps) {
          const name = `v${nodes.length}`;
          const each = node(op, second ? [name, `c${nodes.length}`] : [name], `v${nodes.length + 1}`);
          const result = evaluateNode(each, { inputs: second ? [value, second] : [value], opset: 17 })?.[0];
          if (!result || result.shape.length === 0 || result.data.length > 500) continue; // a reshape that does not fit
          if (second) constants.set(`c${nodes.length}`, second);
          nodes.push(each);
          value = result;
        }
        const last = node('Mul', [`v${nodes.length}`, 'x'], 'y');
        const graph = { ...graphOf([1], [...nodes, last]), constants };
        const folded = await expectLossless(foldConstants, graph, { tolerance: 1e-6 });
        expect(folded.nodes).toHaveLength(1);
      }),
      { numRuns: 40, seed: 11 },
    );
  });
});

test('a string constant is followed through movement', () => {
  const graph = graphOf([1], [node('Reshape', ['s', 'to'], 't'), node('acme::Read', ['x', 't'], 'y')], {
    s: tensor('string', [2], ['a', 'b']),
    to: longs([2, 1]),
  });
  expect(foldConstants(graph).constants.get('t')?.shape).toEqual([2, 1]);
});
