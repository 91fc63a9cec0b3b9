import {
  type Compressor,
  createGraph,
  createNode,
  encodeFloat16s,
  float,
  type Graph,
  inSight,
  int,
  longs,
  type Tensor,
  tensor,
  toFloats,
} from '@espalier/core';
import { inferShapes } from '@espalier/ops';
import { singlePrecision } from '@espalier/passes';
import { describe, expect, test } from 'vitest';
import { network, normals } from '../test/networks.js';
import { compare, evidenceFor, type Feeds, fusedOps, run } from '../test/oracle.js';
import { dynamicQuantizer } from './dynamic/dynamic.js';
import { fp16Quantizer } from './float16/fp16.js';
import { minmax } from './observers/minmax.js';
import { quantizationError } from './quantization-error.js';
import { staticQuantizer } from './static/static.js';
import { weightsQuantizer } from './weights/weights.js';

const draw = normals(11);
type Precision = 'float16' | 'bfloat16' | 'float64';
const codes: Readonly<Record<Precision, number>> = { float16: 10, bfloat16: 16, float64: 11 };

function as(dtype: Precision, source: Tensor): Tensor {
  const values = toFloats(source);
  if (dtype === 'float64') return tensor(dtype, source.shape, Float64Array.from(values));
  if (dtype === 'float16') return tensor(dtype, source.shape, encodeFloat16s(values));
  const bits = new Uint32Array(values.slice().buffer);
  return tensor(
    dtype,
    source.shape,
    Uint16Array.from(bits, (each) => each >>> 16),
  );
}

const quantizers: Readonly<Record<string, Compressor>> = {
  static: staticQuantizer({ activations: { observer: minmax() } }),
  dynamic: dynamicQuantizer(),
};

/** A table that is looked up, then two layers with a cast to the type itself between them. */
const mlp = (dtype: Precision): Graph =>
  network({
    inputs: { ids: { dtype: 'int64', shape: [6] }, x: { dtype, shape: [6, 64] } },
    outputs: ['y', 'h'],
    opset: 19,
    constants: {
      table: as(dtype, draw([128, 64])),
      w: as(dtype, draw([64, 96], 0.1)),
      b: as(dtype, draw([96])),
      v: as(dtype, draw([96, 200], 0.1)),
      scale: as(dtype, draw([96])),
      shift: as(dtype, draw([96])),
    },
    lines: [
      ['e', 'Gather', ['table', 'ids'], ['e']],
      ['s', 'Add', ['e', 'x'], ['s']],
      ['m', 'Gemm', ['s', 'w', 'b'], ['h']],
      ['n', 'LayerNormalization', ['h', 'scale', 'shift'], ['n'], { epsilon: float(1e-5) }],
      ['k', 'Cast', ['n'], ['k'], { to: int(codes[dtype]) }],
      ['g', 'MatMul', ['k', 'v'], ['y']],
    ],
  });
const ids = longs([0, 5, 127, 64, 3, 99]);
const sample = (dtype: Precision): Feeds =>
  new Map([
    ['ids', ids],
    ['x', as(dtype, draw([6, 64]))],
  ]);

describe.each(['static', 'dynamic'] as const)('the %s quantizer', (name) => {
  test.each(['float16', 'float64'] as const)(
    'computes layers of %s on integers; ports keep their type',
    async (dtype) => {
      const { graph, snrDb, bytes, notes } = await compare(mlp(dtype), quantizers[name]!, [sample(dtype)]);
      expect(snrDb.get('y')).toBeGreaterThan(30);
      expect(snrDb.get('h')).toBeGreaterThan(33);
      expect(bytes).toBeLessThan(dtype === 'float64' ? 0.2 : 0.65);
      expect(graph.values.get('y')?.dtype).toBe(dtype);
      expect(
        [...graph.constants.values()].filter(({ dtype: kind, data }) => kind !== 'int8' && data.length > 512),
      ).toEqual([]);
      expect(notes.filter(({ outcome }) => outcome === 'quantized').map(({ node }) => node)).toEqual(
        expect.arrayContaining(['e', 'm', 'g']),
      );
      const ops = await fusedOps(graph);
      expect(Object.keys(ops).some((op) => /MatMulIntegerToFloat|QGemm|DynamicQuantizeMatMul/.test(op))).toBe(true);
    },
  );

  test('makes a bfloat16 model, which the runtime has no kernels for, one that it runs', async () => {
    const graph = network({
      inputs: { x: { dtype: 'bfloat16', shape: [6, 64] } },
      outputs: ['y'],
      constants: { w: as('bfloat16', draw([64, 96], 0.1)) },
      lines: [
        ['m', 'MatMul', ['x', 'w'], ['h']],
        ['t', 'Tanh', ['h'], ['t']],
        ['c', 'Cast', ['t'], ['y'], { to: int(1) }],
      ],
    });
    const feeds: Feeds = new Map([['x', as('bfloat16', draw([6, 64]))]]);
    const plan = quantizers[name]!(graph);
    // Runtimes in JavaScript take no bfloat16 feeds: the graph behind the cast is run.
    const bare = (each: Graph): Graph => {
      const [cast, ...nodes] = each.nodes;
      return { ...each, nodes, inputs: [cast!.outputs[0]!] };
    };
    const floats = new Map([['x_float32', tensor('float32', [6, 64], toFloats(feeds.get('x')!))]]);
    const evidence = await evidenceFor(bare(plan.graph), plan.needs, [floats]);
    const small = plan.apply(evidence).graph;
    const [reference, other] = [await run(bare(singlePrecision(graph).graph), floats), await run(bare(small), floats)];
    expect(quantizationError(reference.get('y')!, other.get('y')!).snrDb).toBeGreaterThan(30);
    expect(small.constants.has('w')).toBe(false);
  });

  test('reaches into the body of a Loop, and says what became of it', async () => {
    const body = createGraph({
      inputs: ['i', 'on', 'state'],
      outputs: ['on_out', 'next'],
      opsets: new Map(),
      constants: new Map([['w', draw([48, 48], 0.15)]]),
      nodes: [
        createNode({ id: 'keep', op: 'Identity', inputs: ['on'], outputs: ['on_out'] }),
        createNode({ id: 'inner', op: 'MatMul', inputs: ['state', 'w'], outputs: ['p'] }),
        createNode({ id: 'tanh', op: 'Tanh', inputs: ['p'], outputs: ['next'] }),
      ],
    });
    const graph = inferShapes(
      createGraph({
        inputs: ['x'],
        outputs: ['y'],
        values: new Map([['x', { dtype: 'float32' as const, shape: [4, 48] }]]),
        constants: new Map<string, Tensor>([
          ['n', tensor('int64', [], BigInt64Array.of(3n))],
          ['yes', tensor('bool', [], Uint8Array.of(1))],
          ['v', draw([48, 48], 0.15)],
        ]),
        nodes: [
          createNode({ id: 'outer', op: 'MatMul', inputs: ['x', 'v'], outputs: ['h'] }),
          createNode({
            id: 'loop',
            op: 'Loop',
            inputs: ['n', 'yes', 'h'],
            outputs: ['y'],
            attributes: { body: { kind: 'graph', value: body } },
          }),
        ],
      }),
    );
    const {
      graph: small,
      snrDb,
      notes,
      bytes,
    } = await compare(graph, quantizers[name]!, [new Map([['x', draw([4, 48])]])]);
    expect(snrDb.get('y')).toBeGreaterThan(25);
    expect(bytes).toBeLessThan(0.45);
    expect(notes.filter(({ outcome }) => outcome === 'quantized').map(({ node }) => node)).toEqual(['outer', 'inner']);
    const loop = small.nodes.find(({ id }) => id === 'loop')?.attributes.get('body');
    const ops = loop?.kind === 'graph' ? inSight(loop.value, small).nodes.map(({ op }) => op) : [];
    expect(ops).toContain('MatMulInteger');
  });
});

test('static quantization asked for other integers than 8 bits leaves bodies float and says so', () => {
  const body = createGraph({
    inputs: [],
    outputs: ['o'],
    opsets: new Map(),
    nodes: [createNode({ id: 'inner', op: 'MatMul', inputs: ['x', 'w'], outputs: ['o'] })],
  });
  const graph = inferShapes(
    createGraph({
      inputs: ['x', 'c'],
      outputs: ['y'],
      values: new Map([
        ['x', { dtype: 'float32' as const, shape: [4, 48] }],
        ['c', { dtype: 'bool' as const, shape: [] }],
      ]),
      constants: new Map([['w', draw([48, 48])]]),
      nodes: [
        createNode({
          id: 'if',
          op: 'If',
          inputs: ['c'],
          outputs: ['y'],
          attributes: { then_branch: { kind: 'graph', value: body }, else_branch: { kind: 'graph', value: body } },
        }),
      ],
    }),
  );
  const wide = staticQuantizer({ activations: { bits: 16, observer: minmax() } });
  const { graph: same, notes } = wide(graph).apply({ samples: 0, find: () => undefined });
  expect(same).toBe(graph);
  expect(notes).toMatchObject([
    { node: 'if', outcome: 'float', reason: expect.stringMatching(/alibration measures nothing inside/) },
  ]);
});

test('fp16 stores weights of float64 in a quarter of the bytes, weights store them in blocks', async () => {
  for (const [quantizer, most, least] of [
    [fp16Quantizer(), 0.3, 60],
    [weightsQuantizer(), 0.17, 15],
  ] as const) {
    const { bytes, snrDb } = await compare(mlp('float64'), quantizer, [sample('float64')]);
    expect(bytes).toBeLessThan(most);
    expect(snrDb.get('y')).toBeGreaterThan(least);
  }
});
