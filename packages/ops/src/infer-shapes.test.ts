import {
  type Attribute,
  createGraph,
  createNode,
  type Dim,
  type DType,
  type EspalierError,
  floats,
  type Graph,
  int,
  ints,
  longs,
  type NodeParts,
  type Tensor,
  type ValueId,
  type ValueInfo,
  zeros,
} from '@espalier/core';
import { describe, expect, it } from 'vitest';
import { inferShapes, inferShapesPass } from './infer-shapes.js';
import { unknownOps } from './unknown-ops.js';

const node = (op: string, inputs: NodeParts['inputs'], output: string, attributes: Record<string, Attribute> = {}) =>
  createNode({ id: output, op, inputs, outputs: [output], attributes });
const f = (...shape: Dim[]): ValueInfo => ({ dtype: 'float32', shape });

function graph(
  inputs: Readonly<Record<string, ValueInfo>>,
  nodes: Graph['nodes'],
  { constants = {}, values = {} }: { constants?: Record<string, Tensor>; values?: Record<string, ValueInfo> } = {},
): Graph {
  return createGraph({
    inputs: Object.keys(inputs),
    outputs: nodes.at(-1)!.outputs.filter((each) => each !== undefined),
    nodes,
    constants: new Map<ValueId, Tensor>(Object.entries(constants)),
    values: new Map<ValueId, ValueInfo>(Object.entries({ ...inputs, ...values })),
  });
}

const shapeOf = (of: Graph, value: ValueId) => inferShapes(of).values.get(value)?.shape;

const image = (shape: readonly Dim[]) =>
  graph(
    { x: f(...shape) },
    [
      node('Conv', ['x', 'w'], 'a', { strides: ints([2, 2]), pads: ints([1, 1, 1, 1]) }),
      node('Relu', ['a'], 'b'),
      node('Reshape', ['b', 'flat'], 'y'),
    ],
    { constants: { w: zeros('float32', [8, 3, 3, 3]), flat: longs([0, -1]) } },
  );

describe('inferShapes', () => {
  it('lets the name of the batch flow through a network', () => {
    const { values } = inferShapes(image(['batch', 3, 32, 32]));
    expect(values.get('a')).toEqual(f('batch', 8, 16, 16));
    expect(values.get('y')).toEqual(f('batch', 2048));
  });

  it('spells out arithmetic on names', () => {
    expect(shapeOf(image([1, 3, 'H', 'W']), 'b')).toEqual([1, 8, 'floor((H + 1)/2)', 'floor((W + 1)/2)']);
  });

  it('returns the same graph when nothing is new', () => {
    const once = inferShapes(image(['batch', 3, 32, 32]));
    expect(inferShapes(once)).toBe(once);
    expect(inferShapesPass()(once)).toBe(once);
  });

  it('adds the branches of a residual block under one name', () => {
    const block = graph(
      { x: f('N', 3, 'H', 'W') },
      [
        node('Conv', ['x', 'w'], 'wide', { pads: ints([1, 1, 1, 1]), strides: ints([2, 2]) }),
        node('Conv', ['x', 'v'], 'narrow', { strides: ints([2, 2]) }),
        node('Add', ['wide', 'narrow'], 'y'),
      ],
      { constants: { w: zeros('float32', [8, 3, 3, 3]), v: zeros('float32', [8, 3, 1, 1]) } },
    );
    expect(shapeOf(block, 'y')).toEqual(['N', 8, 'floor((H + 1)/2)', 'floor((W + 1)/2)']);
  });

  it('leaves what depends on data open under a name of its own', () => {
    const found = graph({ x: f('N', 4) }, [node('NonZero', ['x'], 'at'), node('Transpose', ['at'], 'rows')]);
    expect(shapeOf(found, 'rows')).toEqual(['?at_1', 2]);
  });

  it('gives up the elements of large tensors but not their shape', () => {
    const big = graph({ x: f(2048) }, [
      node('Shape', ['x'], 's'),
      node('ConstantOfShape', ['s'], 'z'),
      node('Neg', ['z'], 'y'),
    ]);
    expect(shapeOf(big, 'y')).toEqual([2048]);
  });

  it('reads no constant but small ones', () => {
    const weight = new Proxy(new Float32Array(4_000_000), {
      get: (target, key) => {
        if (key === 'length') return target.length;
        throw new Error(`the weight was read: ${String(key)}`);
      },
    });
    const huge = graph({ x: f('N', 2000) }, [node('MatMul', ['x', 'w'], 'y'), node('Add', ['y', 'w'], 'z')], {
      constants: { w: { dtype: 'float32', shape: [2000, 2000], data: weight } },
    });
    expect(shapeOf(huge, 'y')).toEqual(['N', 2000]);
  });

  it('takes time in proportion to the number of nodes', () => {
    const chain = (length: number) =>
      graph(
        { x: f('N', 4) },
        Array.from({ length }, (_, i) => node('Relu', [i === 0 ? 'x' : `v${i - 1}`], `v${i}`)),
      );
    inferShapes(chain(1000));
    const start = performance.now();
    expect(shapeOf(chain(100_000), 'v99999')).toEqual(['N', 4]);
    expect(performance.now() - start).toBeLessThan(5000);
  });
});

describe('computations of shapes', () => {
  const flattened = (target: string, nodes: Graph['nodes'], constants: Record<string, Tensor>) =>
    graph({ x: f('N', 8, 'T', 4) }, [...nodes, node('Reshape', ['x', target], 'y')], { constants });
  const at = (...values: number[]) => longs(values);

  it('are followed through Shape, Gather, Unsqueeze and Concat', () => {
    const nodes = [
      node('Shape', ['x'], 's'),
      node('Gather', ['s', 'i0'], 'n'),
      node('Unsqueeze', ['n', 'a0'], 'n1'),
      node('Concat', ['n1', 'rest'], 'target', { axis: int(0) }),
    ];
    const constants = { i0: longs([0], []), a0: at(0), rest: at(-1) };
    expect(shapeOf(flattened('target', nodes, constants), 'y')).toEqual(['N', '32*T']);
  });

  it('are followed through Slice, arithmetic, Cast, Where and Expand', () => {
    const nodes = [
      node('Shape', ['x'], 's'),
      node('Slice', ['s', 'one', 'three'], 'middle'),
      node('Mul', ['middle', 'two'], 'twice'),
      node('Cast', ['twice'], 'real', { to: int(1) }),
      node('Floor', ['real'], 'floored'),
      node('Cast', ['floored'], 'whole', { to: int(7) }),
      node('Div', ['whole', 'two'], 'again'),
      node('Equal', ['again', 'minus'], 'none'),
      node('Where', ['none', 'two', 'again'], 'chosen'),
      node('Concat', ['first', 'chosen', 'four'], 'target', { axis: int(0) }),
    ];
    const constants = { one: at(1), three: at(3), two: at(2), minus: at(-1), first: at(-1), four: at(4) };
    expect(shapeOf(flattened('target', nodes, constants), 'y')).toEqual(['N', 8, 'T', 4]);
  });

  it('are followed through Range, ReduceProd, Split, Squeeze, Tile and ScatterElements', () => {
    const nodes = [
      node('Shape', ['x'], 's'),
      node('ReduceProd', ['s'], 'all', { keepdims: int(0) }),
      node('Range', ['i0', 'i4', 'i1'], 'order'),
      node('Gather', ['s', 'order'], 'same'),
      createNode({ id: 'split', op: 'Split', inputs: ['same', 'halves'], outputs: ['left', 'right'] }),
      node('ScatterElements', ['left', 'a0', 'marks'], 'marked'),
      node('Tile', ['marked', 'a1'], 'tiled'),
      node('Concat', ['tiled', 'right'], 'target', { axis: int(0) }),
    ];
    const constants = {
      i0: longs([0], []),
      i4: longs([4], []),
      i1: longs([1], []),
      halves: at(2, 2),
      a0: at(0),
      a1: at(1),
      marks: at(-1),
    };
    const inferred = inferShapes(flattened('target', nodes, constants));
    expect(inferred.values.get('y')?.shape).toEqual(['N', 8, 'T', 4]);
  });

  it('tell the size of a Resize, a Pad, a Slice and a Tile', () => {
    const sized = graph(
      { x: f('N', 3, 'H', 'W') },
      [
        node('Shape', ['x'], 's'),
        node('Slice', ['s', 'two', 'end'], 'hw'),
        node('Mul', ['hw', 'two'], 'double'),
        node('Concat', ['keep', 'double'], 'sizes0', { axis: int(0) }),
        node('Slice', ['s', 'zero', 'two'], 'nc'),
        node('Concat', ['nc', 'double'], 'sizes', { axis: int(0) }),
        createNode({ id: 'r', op: 'Resize', inputs: ['x', undefined, undefined, 'sizes'], outputs: ['resized'] }),
        node('Concat', ['pad0', 'hw'], 'pads0', { axis: int(0) }),
        node('Concat', ['pads0', 'pad0', 'pad2'], 'pads', { axis: int(0) }),
        node('Pad', ['x', 'pads'], 'padded'),
        node('Slice', ['x', 'pad2', 'hw', 'axes'], 'cut'),
        node('Tile', ['x', 's'], 'tiled'),
      ],
      {
        constants: {
          two: at(2),
          zero: at(0),
          end: at(2 ** 31 - 1),
          keep: at(1, 1),
          pad0: at(0, 0),
          pad2: at(0, 0),
          axes: at(2, 3),
        },
      },
    );
    expect(shapeOf(sized, 'resized')).toEqual(['N', 3, '2*H', '2*W']);
    expect(shapeOf(sized, 'padded')).toEqual(['N', 3, '2*H', '2*W']);
    expect(shapeOf(sized, 'cut')).toEqual(['N', 3, 'H', 'W']);
    expect(shapeOf(sized, 'tiled')).toEqual(['N*N', 9, 'H*H', 'W*W']);
  });

  it('leave only the unknown entries of a target open', () => {
    const partly = graph(
      { x: f('N', 6), k: { dtype: 'int64', shape: [1] } },
      [node('Concat', ['k', 'two'], 'target', { axis: int(0) }), node('Reshape', ['x', 'target'], 'y')],
      { constants: { two: at(2) } },
    );
    expect(shapeOf(partly, 'y')).toEqual(['3*N', 2]);
    const two = graph(
      { x: f('N', 6), k: { dtype: 'int64', shape: [2] } },
      [node('Concat', ['k', 'two'], 'target', { axis: int(0) }), node('Reshape', ['x', 'target'], 'y')],
      { constants: { two: at(2) } },
    );
    expect(shapeOf(two, 'y')).toEqual(['?y_0', '?y_1', 2]);
  });

  it('round as the runtime does in float32', () => {
    const scaled = graph(
      { x: f(3) },
      [
        node('Shape', ['x'], 's'),
        node('Cast', ['s'], 'real', { to: int(1) }),
        node('Mul', ['real', 'third'], 'part'),
        node('Cast', ['part'], 'whole', { to: int(7) }),
        node('ConstantOfShape', ['whole'], 'y'),
      ],
      { constants: { third: floats([1 / 3]) } },
    );
    expect(shapeOf(scaled, 'y')).toEqual([1]);
  });
});

describe('types that a file declares', () => {
  const declared = (values: Record<string, ValueInfo>) =>
    graph({ x: f('N', 4) }, [node('NonZero', ['x'], 'at'), node('Relu', ['x'], 'y')], { values });

  it('fill what inference leaves open', () => {
    const inferred = inferShapes(declared({ at: { dtype: 'int64', shape: [2, 'found'] } }));
    expect(inferred.values.get('at')?.shape).toEqual([2, 'found']);
    expect(inferShapes(inferred)).toBe(inferred);
  });

  it('give way where they are less precise or wrong', () => {
    const { values } = inferShapes(declared({ y: { dtype: 'float16', shape: ['a', 'b', 'c'] } }));
    expect(values.get('y')).toEqual(f('N', 4));
  });

  it('are no ground for an error', () => {
    const lying = graph(
      { x: f('N', 4), z: f('M', 3) },
      [node('NonZero', ['x'], 'at'), node('Cast', ['at'], 'real', { to: int(1) }), node('MatMul', ['real', 'z'], 'y')],
      { values: { at: { dtype: 'int64', shape: [2, 37] }, z: f(5, 3) } },
    );
    expect(shapeOf(lying, 'y')).toEqual([2, 3]);
  });

  it('stay for the outputs of ops that nobody knows, and the rest goes on', () => {
    const custom = graph(
      { x: f('N', 4) },
      [
        node('acme::Magic', ['x'], 'm'),
        node('constructor', ['m'], 'o'),
        node('Relu', ['m'], 'y'),
        node('Abs', ['o'], 'z'),
      ],
      { values: { m: f('N', 7) } },
    );
    const inferred = inferShapes(custom);
    expect(inferred.values.get('y')).toEqual(f('N', 7));
    expect(inferred.values.has('z')).toBe(false);
    expect(unknownOps(custom)).toEqual(
      new Map([
        ['acme::Magic', ['m']],
        ['constructor', ['o']],
      ]),
    );
  });
});

describe('a contradiction', () => {
  const constants = { w: zeros('float32', [8, 3, 3, 3]), s: longs([3, 3]), one: longs([1]), axis: longs([5]) };
  const of = (op: string, inputs: string[], attributes: Record<string, Attribute> = {}) =>
    graph({ x: f(2, 4), y: f(3, 4), i: f(1, 4, 8, 8), v: f(4) }, [node(op, inputs, 'out', attributes)], { constants });
  const cases: readonly (readonly [string, Graph])[] = [
    ['channels of a Conv', of('Conv', ['i', 'w'])],
    ['a broadcast', of('Add', ['x', 'y'])],
    ['the inner sizes of a MatMul', of('MatMul', ['x', 'y'])],
    ['a Concat', of('Concat', ['x', 'y'], { axis: int(1) })],
    ['a Reshape', of('Reshape', ['x', 's'])],
    ['an axis', of('Softmax', ['x'], { axis: int(2) })],
    ['a computed axis', of('Unsqueeze', ['x', 'axis'])],
    ['a permutation', of('Transpose', ['x'], { perm: ints([0, 0]) })],
    ['a window larger than its input', of('MaxPool', ['i'], { kernel_shape: ints([9, 9]) })],
    ['strides of the wrong length', of('MaxPool', ['i'], { kernel_shape: ints([2, 2]), strides: ints([2]) })],
    ['a stride of zero', of('MaxPool', ['i'], { kernel_shape: ints([2, 2]), strides: ints([0, 1]) })],
    ['a Squeeze of size 4', of('Squeeze', ['x', 'one'])],
    ['parts of a Split', of('Split', ['x', 's'], { axis: int(1) })],
    ['the equation of an Einsum', of('Einsum', ['x', 'y'], { equation: { kind: 'text', value: 'ij,jk->ik' } })],
    ['negative pads beyond the size', of('Pad', ['v'], { pads: ints([-3, -3]) })],
    ['a rank', of('Conv', ['x', 'w'])],
  ];

  it.each(cases)('of %s names the node, what was expected and what was found', (_, each) => {
    let error: EspalierError | undefined;
    try {
      inferShapes(each);
    } catch (caught) {
      error = caught as EspalierError; // the next lines check
    }
    expect(error?.code).toBe('GRAPH_SHAPE');
    expect(error?.details).toMatchObject({ node: 'out' });
    expect(error?.message).toMatchSnapshot();
  });

  it('is not seen between names, which may well be equal', () => {
    const named = graph({ a: f('N', 4), b: f('M', 4) }, [node('Add', ['a', 'b'], 'y')]);
    expect(shapeOf(named, 'y')).toEqual(['max(M, N)', 4]);
  });
});

describe('a hostile graph', () => {
  it('of bodies in bodies ends', () => {
    let inner = createGraph({ inputs: ['i', 'c', 's0'], outputs: ['c', 's0'], nodes: [], opsets: new Map() });
    for (let depth = 1; depth < 30; depth++) {
      inner = createGraph({
        inputs: [`i${depth}`, 'c', `s${depth}`],
        outputs: ['c', 't'],
        opsets: new Map(),
        nodes: [
          createNode({
            id: 'n',
            op: 'Loop',
            inputs: [undefined, 'c', `s${depth}`],
            outputs: ['t'],
            attributes: { body: { kind: 'graph', value: inner } },
          }),
        ],
      });
    }
    const bomb = graph({ c: { dtype: 'bool', shape: [] }, x: f('N') }, [
      node('Loop', [undefined, 'c', 'x'], 'y', { body: { kind: 'graph', value: inner } }),
    ]);
    expect(inferShapes(bomb).outputs).toEqual(['y']);
  });

  it('of growing expressions keeps them short', () => {
    const nodes = [node('Shape', ['x'], 's0')];
    for (let i = 0; i < 60; i++)
      nodes.push(node('Mul', [`s${i}`, `s${i}`], `m${i}`), node('Add', [`m${i}`, 'one'], `s${i + 1}`));
    nodes.push(node('ConstantOfShape', ['s60'], 'y'));
    const grown = graph({ x: f('N') }, nodes, { constants: { one: longs([1]) } });
    expect(`${shapeOf(grown, 'y')![0]}`.length).toBeLessThan(300);
  });

  it('of thousands of axes loses its rank', () => {
    const axes = longs(Array.from({ length: 900 }, (_, i) => i));
    const wide = graph({ x: f('N') }, [node('Unsqueeze', ['x', 'axes'], 'y')], { constants: { axes } });
    expect(inferShapes(wide).values.get('y')).toEqual({ dtype: 'float32' satisfies DType });
  });
});

it('claims nothing of the statistics of a batch norm whose channels are not known', () => {
  const names = ['x', 'scale', 'bias', 'mean', 'variance'];
  const floatsOnly: ValueInfo = { dtype: 'float32' };
  const norm = createNode({
    id: 'norm',
    op: 'BatchNormalization',
    inputs: names,
    outputs: ['y', 'm', 'v'],
    attributes: { training_mode: int(1) },
  });
  const given = (mean: ValueInfo) =>
    graph({ ...Object.fromEntries(names.map((name) => [name, floatsOnly])), mean }, [norm]);
  expect(inferShapes(given(floatsOnly)).values.get('m')).toEqual({ dtype: 'float32' });
  expect(inferShapes(given(f(3))).values.get('m')).toEqual(f(3));
});
