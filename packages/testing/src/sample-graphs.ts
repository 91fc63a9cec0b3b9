import {
  buildGraph,
  createGraph,
  createNode,
  createRandom,
  type Dim,
  floats,
  type Graph,
  int,
  ints,
  longs,
  sizeOf,
  type Tensor,
} from '@espalier/core';

/** A small network with every type filled in, to try an algorithm on. */
export interface SampleGraph {
  readonly name: string;
  readonly graph: Graph;
}

/** He-scaled normal weights: standard deviation sqrt(2 / fan-in), so that activations keep their size. */
function weights(name: string, shape: readonly number[], fanIn: number): Tensor {
  const random = createRandom(1).fork(name);
  const scale = Math.sqrt(2 / fanIn);
  return floats(
    Float32Array.from({ length: sizeOf(shape) }, () => scale * random.normal()),
    shape,
  );
}

function opened() {
  const b = buildGraph();
  const typed = (value: string, shape: readonly Dim[]) => b.info(value, { dtype: 'float32', shape });
  return { b, typed };
}

function convolutional(): Graph {
  const { b, typed } = opened();
  const x = b.input('x', 'float32', ['batch', 3, 8, 8]);
  const same = { pads: ints([1, 1, 1, 1]), kernel_shape: ints([3, 3]) };
  const c1 = b.add(
    'Conv',
    [x, b.constant('w1', weights('w1', [8, 3, 3, 3], 27)), b.constant('b1', weights('b1', [8], 100))],
    { name: 'c1', attributes: same },
  );
  const r1 = b.add('Relu', [typed(c1, ['batch', 8, 8, 8])], { name: 'r1' });
  const depthwise = { ...same, group: int(8) };
  const c2 = b.add('Conv', [typed(r1, ['batch', 8, 8, 8]), b.constant('w2', weights('w2', [8, 1, 3, 3], 9))], {
    name: 'c2',
    attributes: depthwise,
  });
  const sum = b.add('Add', [typed(c2, ['batch', 8, 8, 8]), r1], { name: 'sum' });
  const pooled = b.add('MaxPool', [typed(sum, ['batch', 8, 8, 8])], {
    name: 'pooled',
    attributes: { kernel_shape: ints([2, 2]), strides: ints([2, 2]) },
  });
  const mean = b.add('GlobalAveragePool', [typed(pooled, ['batch', 8, 4, 4])], { name: 'mean' });
  const flat = b.add('Flatten', [typed(mean, ['batch', 8, 1, 1])], { name: 'flat' });
  const y = b.add(
    'Gemm',
    [typed(flat, ['batch', 8]), b.constant('w3', weights('w3', [4, 8], 8)), b.constant('b3', weights('b3', [4], 100))],
    { name: 'y', attributes: { transB: int(1) } },
  );
  b.output(typed(y, ['batch', 4]));
  return b.finish();
}

function perceptron(): Graph {
  const { b, typed } = opened();
  const x = b.input('x', 'float32', ['batch', 64]);
  const h = b.add('MatMul', [x, b.constant('w1', weights('w1', [64, 32], 64))], { name: 'h' });
  const biased = b.add('Add', [typed(h, ['batch', 32]), b.constant('bias', weights('bias', [32], 100))], {
    name: 'biased',
  });
  const r = b.add('Relu', [typed(biased, ['batch', 32])], { name: 'r' });
  const o = b.add('MatMul', [typed(r, ['batch', 32]), b.constant('w2', weights('w2', [32, 8], 32))], { name: 'o' });
  const y = b.add('Softmax', [typed(o, ['batch', 8])], { name: 'y', attributes: { axis: int(-1) } });
  b.output(typed(y, ['batch', 8]));
  return b.finish();
}

function sharedWeight(): Graph {
  const { b, typed } = opened();
  const x = b.input('x', 'float32', ['batch', 16]);
  const w = b.constant('w', weights('w', [16, 16], 16));
  const first = b.add('MatMul', [x, w], { name: 'first' });
  const second = b.add('MatMul', [typed(first, ['batch', 16]), w], { name: 'second' });
  b.output(typed(second, ['batch', 16]));
  b.output(first);
  return b.finish();
}

function foreignOp(): Graph {
  const { b, typed } = opened();
  const x = b.input('x', 'float32', ['batch', 16]);
  const strange = b.add('acme::Strange', [x, b.constant('table', weights('table', [16, 16], 16))], {
    name: 'strange',
    attributes: { secret: int(42) },
  });
  const y = b.add('MatMul', [typed(strange, ['batch', 16]), b.constant('w', weights('w', [16, 4], 16))], { name: 'y' });
  b.output(typed(y, ['batch', 4]));
  return {
    ...b.finish(),
    opsets: new Map([
      ['', 17],
      ['acme', 1],
    ]),
  };
}

function noWeights(): Graph {
  const { b, typed } = opened();
  const [x, z] = [b.input('x', 'float32', ['batch', 4]), b.input('z', 'float32', ['batch', 4])];
  b.output(typed(b.add('Mul', [x, z], { name: 'y' }), ['batch', 4]));
  return b.finish();
}

function subgraph(): Graph {
  const { b, typed } = opened();
  const [x, flag] = [b.input('x', 'float32', ['batch', 4]), b.input('flag', 'bool', [])];
  const h = b.add('MatMul', [x, b.constant('w', weights('w', [4, 4], 4))], { name: 'h' });
  const branch = (name: string, op: string) =>
    createGraph({
      name,
      inputs: [],
      outputs: [`${name}_out`],
      nodes: [createNode({ id: `${name}_node`, op, inputs: [h], outputs: [`${name}_out`] })],
      opsets: new Map(),
    });
  const y = b.add('If', [flag], {
    name: 'y',
    attributes: {
      then_branch: { kind: 'graph', value: branch('then', 'Neg') },
      else_branch: { kind: 'graph', value: branch('else', 'Abs') },
    },
  });
  typed(h, ['batch', 4]);
  b.output(typed(y, ['batch', 4]));
  return b.finish();
}

function untidy(): Graph {
  const { b, typed } = opened();
  const x = b.input('x', 'float32', [2, 6]);
  const same = b.add('Identity', [x], { name: 'same' });
  const shape = b.add('Concat', [b.constant('three', longs([3])), b.constant('four', longs([4]))], {
    name: 'shape',
    attributes: { axis: int(0) },
  });
  b.info(shape, { dtype: 'int64', shape: [2] });
  typed(b.add('Exp', [typed(same, [2, 6])], { name: 'unused' }), [2, 6]);
  b.output(typed(b.add('Reshape', [same, shape], { name: 'y' }), [3, 4]));
  return b.finish();
}

/**
 * Small networks that algorithms meet: convolutions with a depthwise one and a residual, matrix products, a shared
 * weight, an op nobody knows, no weights at all, a subgraph, and leftovers to tidy up. The same ones every time.
 */
export const sampleGraphs = (): readonly SampleGraph[] =>
  Object.entries({ convolutional, perceptron, sharedWeight, foreignOp, noWeights, subgraph, untidy }).map(
    ([name, make]) => ({ name, graph: make() }),
  );
