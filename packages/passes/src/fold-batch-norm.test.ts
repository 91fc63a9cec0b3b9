import {
  type Attribute,
  createGraph,
  createNode,
  createRandom,
  type Dim,
  float,
  floats,
  type Graph,
  int,
  ints,
  type Node,
  scalar,
  sizeOf,
  type Tensor,
} from '@espalier/core';
import { inferShapes } from '@espalier/ops';
import { describe, expect, test } from 'vitest';
import { expectLossless } from '../../../test/expect-lossless.js';
import { explainBatchNorms } from './explain-batch-norms.js';
import { foldBatchNorm } from './fold-batch-norm.js';

const random = createRandom(3);
const weights = (...shape: readonly number[]): Tensor =>
  floats(
    Float32Array.from({ length: sizeOf(shape) }, () => random.normal() * 0.5),
    shape,
  );
const variances = (count: number): Tensor => floats(Float32Array.from({ length: count }, () => 0.3 + random.next()));

interface Layer {
  readonly op: string;
  readonly constants?: readonly Tensor[];
  readonly attributes?: Readonly<Record<string, Attribute>>;
}

const batchNorm = (channels: number, attributes: Layer['attributes'] = {}): Layer => ({
  op: 'BatchNormalization',
  constants: [weights(channels), weights(channels), weights(channels), variances(channels)],
  attributes,
});

/** Layers in a row, each reading the one before and its own constants. */
function chain(shape: readonly Dim[], layers: readonly Layer[], opset = 17): Graph {
  const constants = new Map<string, Tensor>();
  const nodes: Node[] = layers.map(({ op, constants: own = [], attributes = {} }, i) => {
    const names = own.map((tensor, k) => {
      constants.set(`c${i}_${k}`, tensor);
      return `c${i}_${k}`;
    });
    const output = i === layers.length - 1 ? 'y' : `v${i}`;
    return createNode({
      id: `n${i}`,
      op,
      inputs: [i === 0 ? 'x' : `v${i - 1}`, ...names],
      outputs: [output],
      attributes,
    });
  });
  return createGraph({
    inputs: ['x'],
    outputs: ['y'],
    nodes,
    constants,
    values: new Map([['x', { dtype: 'float32', shape }]]),
    opsets: new Map([['', opset]]),
  });
}

const opsAfter = async (graph: Graph) =>
  (await expectLossless(foldBatchNorm, inferShapes(graph), { tolerance: 3e-6 })).nodes.map(({ op }) => op);
const image = ['batch', 4, 6, 6];
const relu: Layer = { op: 'Relu' };

describe('a batch norm goes into the layer before it', () => {
  const layers: Readonly<Record<string, Graph>> = {
    Conv: chain(image, [{ op: 'Conv', constants: [weights(6, 4, 3, 3)] }, batchNorm(6), relu]),
    'Conv with bias': chain(image, [{ op: 'Conv', constants: [weights(6, 4, 3, 3), weights(6)] }, batchNorm(6), relu]),
    'grouped Conv': chain(image, [
      {
        op: 'Conv',
        constants: [weights(6, 2, 3, 3), weights(6)],
        attributes: { group: int(2), pads: ints([1, 1, 1, 1]) },
      },
      batchNorm(6, { epsilon: float(0.01) }),
    ]),
    'depthwise Conv': chain(image, [
      { op: 'Conv', constants: [weights(4, 1, 3, 3)], attributes: { group: int(4) } },
      batchNorm(4),
    ]),
    'Conv over one axis': chain(['batch', 3, 9], [{ op: 'Conv', constants: [weights(5, 3, 3)] }, batchNorm(5)]),
    ConvTranspose: chain(image, [
      { op: 'ConvTranspose', constants: [weights(4, 3, 2, 2), weights(3)], attributes: { strides: ints([2, 2]) } },
      batchNorm(3),
    ]),
    'grouped ConvTranspose': chain(image, [
      { op: 'ConvTranspose', constants: [weights(4, 3, 2, 2)], attributes: { group: int(2) } },
      batchNorm(6),
    ]),
    Gemm: chain(
      ['batch', 4],
      [
        { op: 'Gemm', constants: [weights(4, 5), weights(5)], attributes: { alpha: float(0.5), beta: float(2) } },
        batchNorm(5),
      ],
    ),
    'transposed Gemm without bias': chain(
      ['batch', 4],
      [{ op: 'Gemm', constants: [weights(5, 4)], attributes: { transB: int(1) } }, batchNorm(5)],
    ),
    'Dropout and Identity in between': chain(image, [
      { op: 'Conv', constants: [weights(6, 4, 1, 1)] },
      { op: 'Dropout' },
      { op: 'Identity' },
      batchNorm(6),
    ]),
    'two in a row': chain(image, [{ op: 'Conv', constants: [weights(6, 4, 1, 1)] }, batchNorm(6), batchNorm(6)]),
    'an older opset': chain(
      image,
      [{ op: 'Conv', constants: [weights(6, 4, 1, 1)] }, batchNorm(6, { spatial: int(1) })],
      8,
    ),
  };
  test.each(Object.entries(layers))('%s', async (_, graph) => {
    expect(await opsAfter(graph)).not.toContain('BatchNormalization');
  });

  test('MatMul takes the factor, an Add the shift', async () => {
    expect(await opsAfter(chain(['batch', 4], [{ op: 'MatMul', constants: [weights(4, 5)] }, batchNorm(5)]))).toEqual([
      'MatMul',
      'Add',
    ]);
    const biased = chain(
      ['batch', 4],
      [{ op: 'MatMul', constants: [weights(4, 5)] }, { op: 'Add', constants: [weights(5)] }, batchNorm(5), relu],
    );
    expect(await opsAfter(biased)).toEqual(['MatMul', 'Add', 'Relu']);
  });
});

describe('a batch norm goes into the layer after it where that is exact', () => {
  test('Gemm and MatMul always', async () => {
    expect(
      await opsAfter(
        chain(
          ['batch', 4],
          [relu, batchNorm(4), { op: 'Gemm', constants: [weights(4, 5), weights(5)], attributes: { alpha: float(2) } }],
        ),
      ),
    ).toEqual(['Relu', 'Gemm']);
    expect(
      await opsAfter(chain(['batch', 4], [relu, batchNorm(4), { op: 'MatMul', constants: [weights(4, 5)] }])),
    ).toEqual(['Relu', 'MatMul', 'Add']);
  });

  test('Conv without padding, grouped or not', async () => {
    const grouped = { op: 'Conv', constants: [weights(6, 2, 3, 3)], attributes: { group: int(2) } };
    expect(await opsAfter(chain(image, [relu, batchNorm(4), grouped]))).toEqual(['Relu', 'Conv']);
  });

  test('padding stops a shift, and only a shift', async () => {
    const padded = { op: 'Conv', constants: [weights(6, 4, 3, 3)], attributes: { pads: ints([1, 1, 1, 1]) } };
    const shifted = chain(image, [relu, batchNorm(4), padded]);
    expect(await opsAfter(shifted)).toContain('BatchNormalization');
    expect(explainBatchNorms(shifted)[0]?.reason).toMatch(/padding would have to hold the shift/);
    const zeros = floats(new Float32Array(4));
    const pure: Layer = { op: 'BatchNormalization', constants: [weights(4), zeros, zeros, variances(4)] };
    expect(await opsAfter(chain(image, [relu, pure, padded]))).toEqual(['Relu', 'Conv']);
  });
});

describe('per-channel arithmetic after a layer folds like a batch norm', () => {
  const conv = { op: 'Conv', constants: [weights(6, 4, 3, 3)] };
  test.each(['Mul', 'Div', 'Add', 'Sub'])('%s', async (op) => {
    expect(await opsAfter(chain(image, [conv, { op, constants: [weights(6, 1, 1)] }, relu]))).toEqual(['Conv', 'Relu']);
    expect(await opsAfter(chain(image, [conv, { op, constants: [scalar(0.7)] }, relu]))).toEqual(['Conv', 'Relu']);
    expect(
      await opsAfter(
        chain(
          ['batch', 3, 4],
          [
            { op: 'MatMul', constants: [weights(4, 5)] },
            { op: 'Add', constants: [weights(5)] },
            { op, constants: [weights(5)] },
          ],
        ),
      ),
    ).toEqual(['MatMul', 'Add']);
  });

  test('constants along another axis, or of a higher rank, stay', async () => {
    expect(await opsAfter(chain(image, [conv, { op: 'Mul', constants: [weights(4)] }]))).toEqual(['Conv', 'Mul']);
    expect(await opsAfter(chain(image, [conv, { op: 'Mul', constants: [weights(1, 1, 6, 1, 1)] }]))).toEqual([
      'Conv',
      'Mul',
    ]);
  });
});

describe('nothing is folded across a value that others see', () => {
  const base = chain(image, [{ op: 'Conv', constants: [weights(6, 4, 1, 1)] }, batchNorm(6)]);

  test('another reader', async () => {
    const read = {
      ...base,
      nodes: [...base.nodes, createNode({ id: 'r', op: 'Relu', inputs: ['v0'], outputs: ['z'] })],
      outputs: ['y', 'z'],
    };
    expect(await opsAfter(read)).toContain('BatchNormalization');
  });

  test('a graph output', async () => {
    expect(await opsAfter({ ...base, outputs: ['v0', 'y'] })).toContain('BatchNormalization');
  });

  test('a weight that two layers share is copied, not changed', async () => {
    const twin = createNode({ id: 'twin', op: 'Conv', inputs: ['x', 'c0_0'], outputs: ['z'] });
    const shared = { ...base, nodes: [...base.nodes, twin], outputs: ['y', 'z'] };
    const result = await expectLossless(foldBatchNorm, inferShapes(shared));
    expect(result.nodes.map(({ op }) => op)).toEqual(['Conv', 'Conv']);
    expect(result.constants.get('c0_0')).toBe(shared.constants.get('c0_0'));
  });
});

test('each batch norm that stays is explained', () => {
  const training = chain(image, [
    { op: 'Conv', constants: [weights(6, 4, 1, 1)] },
    batchNorm(6, { training_mode: int(1) }),
  ]);
  const concat = chain(image, [{ op: 'Concat', attributes: { axis: int(1) } }, batchNorm(4), relu]);
  expect([training, concat].flatMap(explainBatchNorms)).toMatchInlineSnapshot(`
    [
      {
        "node": "n1",
        "op": "BatchNormalization",
        "outcome": "kept",
        "reason": "Not folded: it is in training form: its statistics come from the batch.",
      },
      {
        "node": "n1",
        "op": "BatchNormalization",
        "outcome": "kept",
        "reason": "Not folded: the Concat before it cannot take it in: Concat has no weight; and the Relu after it cannot take it in: Relu has no weight.",
      },
    ]
  `);
  expect(foldBatchNorm(training)).toBe(training);
});

test('factors beyond float32 leave everything as it was', () => {
  const huge = chain(image, [
    { op: 'Conv', constants: [floats(new Float32Array(24).fill(3e38), [6, 4, 1, 1])] },
    { op: 'Mul', constants: [scalar(100)] },
  ]);
  expect(foldBatchNorm(huge)).toBe(huge);
});

test('a long chain takes one round', () => {
  const conv: Layer = { op: 'Conv', constants: [weights(6, 4, 1, 1)] };
  const long = chain(image, [conv, ...Array.from({ length: 3000 }, () => ({ op: 'Add', constants: [scalar(0.001)] }))]);
  const start = performance.now();
  expect(foldBatchNorm(long).nodes).toHaveLength(1);
  expect(performance.now() - start).toBeLessThan(2000);
});
