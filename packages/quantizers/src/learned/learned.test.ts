import {
  createNode,
  floats,
  type Graph,
  int,
  ints,
  type Node,
  noEvidence,
  scalar,
  type Tensor,
  tensorInfo,
  textOf,
} from '@espalier/core';
import { inferShapes, weightOf } from '@espalier/ops';
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { float32, type Line, network, normals } from '../../test/networks.js';
import { evidenceFor, fusedOps, run, sameRange } from '../../test/oracle.js';
import { quantizationError } from '../quantization-error.js';
import { activationStart } from './activation-start.js';
import { integersQuantizer } from './integers.js';
import { latticeOf, latticeTensor, refitted } from './lattice-weights.js';
import { learnedQuantizer } from './learned.js';
import { weightStart } from './weight-start.js';

const draw = normals(11);

/** conv, norm, relu, then a residual block whose second half ends in a sum, a pool, and a classifier. */
function small(): Graph {
  const norm = (id: string, channels: number): Readonly<Record<string, Tensor>> => ({
    [`${id}.gamma`]: floats(
      Float32Array.from({ length: channels }, (_, i) => (i % 3 === 1 ? -0.7 : 0.5 + i / 8)),
      [channels],
    ),
    [`${id}.beta`]: draw([channels], 0.2),
    [`${id}.mean`]: draw([channels], 0.3),
    [`${id}.var`]: floats(new Float32Array(channels).fill(1.5), [channels]),
  });
  const normed = (id: string, from: string): Line => [
    `bn${id}`,
    'BatchNormalization',
    [from, `${id}.gamma`, `${id}.beta`, `${id}.mean`, `${id}.var`],
    [`n${id}`],
  ];
  const same = { pads: ints([1, 1, 1, 1]) };
  return network({
    inputs: { x: float32('batch', 3, 8, 8) },
    outputs: ['y'],
    constants: {
      w1: draw([8, 3, 3, 3], 0.3),
      w2: draw([8, 8, 3, 3], 0.2),
      w3: draw([8, 8, 3, 3], 0.2),
      w4: draw([8, 5], 0.4),
      b4: draw([5], 0.1),
      ...norm('1', 8),
      ...norm('2', 8),
      ...norm('3', 8),
    },
    lines: [
      ['conv1', 'Conv', ['x', 'w1'], ['c1'], same],
      normed('1', 'c1'),
      ['relu1', 'Relu', ['n1'], ['r1']],
      ['pool', 'MaxPool', ['r1'], ['p1'], { kernel_shape: ints([2, 2]), strides: ints([2, 2]) }],
      ['conv2', 'Conv', ['p1', 'w2'], ['c2'], same],
      normed('2', 'c2'),
      ['relu2', 'Relu', ['n2'], ['r2']],
      ['conv3', 'Conv', ['r2', 'w3'], ['c3'], same],
      normed('3', 'c3'),
      ['sum', 'Add', ['n3', 'p1'], ['s']],
      ['relu3', 'Relu', ['s'], ['r3']],
      ['mean', 'GlobalAveragePool', ['r3'], ['g']],
      ['flat', 'Flatten', ['g'], ['f']],
      ['fc', 'Gemm', ['f', 'w4', 'b4'], ['y']],
    ],
  });
}

const feeds = [new Map([['x', draw([4, 3, 8, 8])]])];

async function learnedOf(options: Parameters<typeof learnedQuantizer>[0], graph = small()) {
  const plan = learnedQuantizer(options)(graph);
  return plan.apply(await evidenceFor(plan.graph, plan.needs, feeds));
}

const written = (graph: Graph, options: Parameters<typeof integersQuantizer>[0] = {}) =>
  integersQuantizer(options)(graph).apply(noEvidence);

const quantizersIn = ({ nodes }: Graph, role: string): readonly Node[] =>
  nodes.filter((node) => node.op === 'espalier::FakeQuantize' && textOf(node, 'role', '') === role);

/** Every quantized value of a file, computed from the values that another graph has for those before it. */
async function stepByStep(
  file: Graph,
  names: readonly string[],
  values: ReadonlyMap<string, Tensor>,
): Promise<ReadonlyMap<string, Tensor>> {
  const pairs = names.flatMap((name) => {
    const [, scale, zero] = file.nodes.find(({ outputs }) => outputs[0] === name)!.inputs;
    const codes = `${name}_given_codes`;
    return [
      createNode({ id: codes, op: 'QuantizeLinear', inputs: [`${name}_given`, scale, zero], outputs: [codes] }),
      createNode({ id: `${name}_back`, op: 'DequantizeLinear', inputs: [codes, scale, zero], outputs: [name] }),
    ];
  });
  const again = file.nodes.map((node) =>
    names.includes(node.outputs[0]!) ? { ...node, outputs: [`${node.outputs[0]}_again`] } : node,
  );
  const graph: Graph = {
    ...file,
    inputs: [...file.inputs, ...names.map((name) => `${name}_given`)],
    outputs: names.map((name) => `${name}_again`),
    nodes: [...pairs, ...again],
    values: new Map([
      ...file.values,
      ...names.map((name) => [`${name}_given`, { dtype: 'float32', shape: values.get(name)!.shape }] as const),
    ]),
  };
  const given = new Map(names.map((name) => [`${name}_given`, values.get(name)!]));
  const found = await run(graph, new Map([...feeds[0]!, ...given]));
  return new Map(names.map((name) => [name, found.get(`${name}_again`)!]));
}

describe('learned', () => {
  it('puts a quantizer on every weight, and on each value once for each width', async () => {
    const { graph } = await learnedOf({ weights: { bits: 4 }, activations: { bits: 4 } });
    expect(
      quantizersIn(graph, 'weight').map(({ inputs, attributes }) => [inputs[0], attributes.get('bits')?.value]),
    ).toEqual([
      ['w1', 8],
      ['w2', 4],
      ['w3', 4],
      ['w4', 8],
    ]);
    const widths = quantizersIn(graph, 'activation').map(({ outputs }) => outputs[0]);
    expect(widths).toEqual(['x_fake8', 'r1_fake8', 'p1_fake4', 'r2_fake4', 'n3_fake8', 'r3_fake8', 'g_fake8']);
    expect(graph.nodes.filter(({ op }) => op === 'BatchNormalization')).toHaveLength(3);
  });

  it('reads the wider grid first where a narrower one stands behind it', async () => {
    const { graph } = await learnedOf({ weights: { bits: 4 }, activations: { bits: 4 } });
    const narrow = graph.nodes.find(({ outputs }) => outputs[0] === 'p1_fake4')!;
    expect(narrow.inputs[0]).toBe('p1'); // the pool hands on the grid of r1_fake8
    expect(graph.nodes.find(({ id }) => id === 'sum')!.inputs).toEqual(['n3_fake8', 'p1']);
    expect(graph.nodes.find(({ id }) => id === 'conv2')!.inputs[0]).toBe('p1_fake4');
  });

  it('takes batch norms into the weights first where that is asked', async () => {
    const { graph } = await learnedOf({ batchNorm: 'fold' });
    expect(graph.nodes.some(({ op }) => op === 'BatchNormalization')).toBe(false);
  });

  it('says of each method what is trained', async () => {
    const trained = async (method: 'lsq' | 'lsq+' | 'pact' | 'ste') => {
      const { graph } = await learnedOf({ method });
      return quantizersIn(graph, 'activation').filter(({ attributes }) => attributes.get('learned')?.value !== 0)
        .length;
    };
    expect([await trained('lsq'), await trained('lsq+'), await trained('pact'), await trained('ste')]).toEqual([
      6, 6, 6, 0,
    ]);
    const { graph } = await learnedOf({ method: 'lsq+' });
    expect(quantizersIn(graph, 'offset').length).toBeGreaterThan(0);
  });

  it('begins again where quantizers are learned already, and asks for evidence', async () => {
    const given = small();
    const { graph } = await learnedOf({}, given);
    const { graph: again } = await learnedOf({ weights: { bits: 2 } }, graph);
    expect(quantizersIn(again, 'weight').map(({ inputs }) => inputs[0])).toEqual(['w1', 'w2', 'w3', 'w4']);
    expect(quantizersIn(again, 'activation')).toHaveLength(quantizersIn(graph, 'activation').length);
    expect(() => learnedQuantizer({})(small()).apply(noEvidence)).toThrow(
      expect.objectContaining({ code: 'EVIDENCE_MISSING' }),
    );
  });

  it('begins no worse than quantization after training does', async () => {
    const given = small();
    const { graph } = await learnedOf({}, given);
    const [float, learned] = [await run(given, feeds[0]!), await run(graph, feeds[0]!)];
    expect(quantizationError(float.get('y')!, learned.get('y')!).snrDb).toBeGreaterThan(25);
  });
});

describe('integers', () => {
  const cases = (['lsq', 'lsq+', 'pact', 'ste'] as const).flatMap((method) =>
    (['channel', 'tensor'] as const).flatMap((granularity) =>
      (['batch', 'fold'] as const).map((batchNorm) => ({ method, granularity, batchNorm })),
    ),
  );

  test.each(cases)(
    'each value of $method per $granularity ($batchNorm) is at most a step from that of training',
    async (one) => {
      const { method, granularity, batchNorm } = one;
      for (const [weights, activations] of [
        [8, 8],
        [4, 4],
        [2, 8],
        [3, 3],
      ] as const) {
        const { graph } = await learnedOf({
          method,
          batchNorm,
          weights: { bits: weights, granularity },
          activations: { bits: activations },
        });
        const { graph: file } = written(graph);
        expect(file.nodes.some(({ op }) => op.startsWith('espalier::'))).toBe(false);
        const shown = quantizersIn(graph, 'activation');
        const names = shown.map(({ outputs }) => outputs[0]!);
        const mine = await run({ ...graph, outputs: [...graph.outputs, ...names] }, feeds[0]!);
        const theirs = await stepByStep(file, names, new Map([...feeds[0]!, ...mine]));
        for (const { inputs, outputs } of shown) {
          const [a, b] = [mine.get(outputs[0]!)!.data as Float32Array, theirs.get(outputs[0]!)!.data as Float32Array];
          const step = Number(graph.constants.get(inputs[1]!)!.data[0]);
          const gaps = Array.from(a, (value, i) => Math.abs(value - b[i]!) / step);
          expect(Math.max(...gaps)).toBeLessThan(1.01);
          // A bias has steps of its own in the file, which tip what is nearly halfway between two codes.
          expect(gaps.filter((gap) => gap > 0.5).length / gaps.length).toBeLessThan(0.02);
        }
      }
    },
  );

  it('is computed on integers by the runtime, from weights that take four bits', async () => {
    const { graph } = await learnedOf({ weights: { bits: 4 }, activations: { bits: 4 } });
    const { graph: file, notes } = written(graph);
    expect(await fusedOps(file)).toMatchObject({
      QLinearConv: 3,
      'com.microsoft::QLinearAdd': 1,
      'com.microsoft::QGemm': 1,
    });
    expect([...file.constants.values()].filter(({ dtype }) => dtype === 'int4')).toHaveLength(2);
    expect(notes.map(({ details }) => details?.['storedBits'])).toEqual([8, 4, 4, 8]);
    const { graph: wide } = written(graph, { storage: 'int8' });
    expect([...wide.constants.values()].some(({ dtype }) => dtype === 'int4')).toBe(false);
  });

  it('has weights that readers of files find again', async () => {
    const { graph } = await learnedOf({ weights: { bits: 4 }, batchNorm: 'fold' });
    const { graph: file } = written(graph);
    for (const node of quantizersIn(graph, 'weight')) {
      const wanted = latticeTensor(latticeOf(graph, node)!).data;
      const { values } = weightOf(file, `${node.outputs[0]}_quantized`)!;
      wanted.forEach((value, i) => {
        expect(values[i]).toBeCloseTo(value, 6);
      });
    }
  });

  it('leaves a model without learned quantizers as it is, and says so', () => {
    const graph = small();
    const { graph: same, notes } = written(graph);
    expect(same).toBe(graph);
    expect(notes[0]).toMatchObject({ outcome: 'warning' });
  });
});

describe('start values', () => {
  it('are those of the papers for small numbers', () => {
    const w = floats([1, -3], [1, 2]);
    const of = (start: 'lsq' | 'minmax') =>
      weightStart(w, { grid: { bits: 4, signed: true, symmetric: true }, granularity: { per: 'tensor' }, start })![0];
    expect(of('lsq')).toBeCloseTo(4 / Math.sqrt(7), 6);
    expect(of('minmax')).toBeCloseTo(3 / 7, 6);
    const counts = Float64Array.of(1, 1, 1, 1);
    const grid = { bits: 4, signed: false, symmetric: false };
    expect(activationStart({ min: 0, max: 8, counts }, grid, 'lsq')).toEqual({
      scale: Math.fround(8 / Math.sqrt(15)),
      zeroPoint: 0,
    });
    expect(activationStart({ min: 0, max: 15, counts }, grid, 'minmax')).toEqual({ scale: 1, zeroPoint: 0 });
  });
});

describe('lattices', () => {
  it('keep their codes under a factor for each channel', () => {
    const codes = fc.array(fc.integer({ min: -8, max: 7 }), { minLength: 6, maxLength: 6 });
    const factors = fc.tuple(fc.float({ min: Math.fround(0.01), max: 50, noNaN: true }), fc.boolean());
    fc.assert(
      fc.property(codes, factors, fc.boolean(), (numbers, [factor, turned], perChannel) => {
        const axis = perChannel ? 0 : undefined;
        const scale = Float32Array.from(perChannel ? [0.1, 0.25] : [0.1]);
        const before = { codes: Int16Array.from(numbers), shape: [2, 3], scale, axis, bits: 4 };
        const by = [factor, turned ? -2 : 0.5];
        const after = Float32Array.from(latticeTensor(before).data, (value, i) =>
          Math.fround(value * by[Math.floor(i / 3)]!),
        );
        const found = refitted(before, after, 0)!;
        expect(Array.from(found.codes, Math.abs)).toEqual(Array.from(before.codes, Math.abs));
        latticeTensor(found).data.forEach((value, i) => {
          expect(Math.abs(value - after[i]!)).toBeLessThanOrEqual(1e-5 * Math.abs(after[i]!));
        });
      }),
    );
  });

  it('of a fake-quantizer have the codes that it computes', () => {
    const graph = inferShapes(
      network({
        inputs: { x: float32(1, 2) },
        outputs: ['y'],
        constants: { w: floats([0.3, -2], [1, 2]), s: scalar(0.5) },
        lines: [
          ['fq', 'espalier::FakeQuantize', ['w', 's'], ['q'], { bits: int(8) }],
          ['mul', 'Mul', ['x', 'q'], ['y']],
        ],
      }),
    );
    expect(Array.from(latticeOf(graph, graph.nodes[0]!)!.codes)).toEqual([1, -4]);
    expect(tensorInfo(graph, 'q')?.shape).toEqual([1, 2]);
  });
});

it('needs a histogram of each quantized value', () => {
  const plan = learnedQuantizer({})(small());
  expect(plan.needs.map((need) => 'value' in need && need.value)).toEqual(['x', 'r1', 'r2', 'n3', 'r3', 'g']);
  expect(plan.apply(sameRange(plan.needs, -1, 1)).notes.some(({ outcome }) => outcome === 'quantized')).toBe(true);
});
