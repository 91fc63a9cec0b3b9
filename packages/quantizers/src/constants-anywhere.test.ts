import {
  type Compressor,
  createGraph,
  createNode,
  encodeFloat16s,
  type Graph,
  int,
  ints,
  noEvidence,
  type Tensor,
  tensor,
  toFloats,
} from '@espalier/core';
import { inferShapes } from '@espalier/ops';
import { describe, expect, test } from 'vitest';
import { float32, network, normals } from '../test/networks.js';
import { compare, type Feeds, fusedOps } from '../test/oracle.js';
import { dynamicQuantizer } from './dynamic/dynamic.js';
import { minmax } from './observers/minmax.js';
import { staticQuantizer } from './static/static.js';
import { weightsQuantizer } from './weights/weights.js';

const draw = normals(3);
const half = (source: Tensor): Tensor => tensor('float16', source.shape, encodeFloat16s(toFloats(source)));
const byName = { dynamic: dynamicQuantizer(), weights: weightsQuantizer() } as const;
const least = { dynamic: 30, weights: 14 } as const;
const names = ['dynamic', 'weights'] as const;

/** A table of 128 rows that is looked up, and read again as the output layer. */
const tied = (output: 'transposed' | 'gemm'): Graph =>
  network({
    inputs: { ids: { dtype: 'int64', shape: [6] } },
    outputs: ['y'],
    constants: { table: draw([128, 32]) },
    lines: [
      ['e', 'Gather', ['table', 'ids'], ['h']],
      ['r', 'Tanh', ['h'], ['t']],
      ...(output === 'gemm'
        ? ([['m', 'Gemm', ['t', 'table'], ['y'], { transB: int(1) }]] as const)
        : ([
            ['turn', 'Transpose', ['table'], ['turned']],
            ['m', 'MatMul', ['t', 'turned'], ['y']],
          ] as const)),
    ],
  });
const ids: Feeds = new Map([['ids', tensor('int64', [6], BigInt64Array.from([0n, 5n, 127n, 64n, 3n, 99n]))]]);

const constantBytes = (graph: Graph): number =>
  [...graph.constants.values()].reduce((sum, { data }) => sum + (data as Int8Array).byteLength, 0); // no strings here

describe.each(names)('the %s quantizer', (name) => {
  const quantizer: Compressor = byName[name];

  test.each(['transposed', 'gemm'] as const)('stores a table once that is also the output layer (%s)', async (form) => {
    const { graph, snrDb, notes } = await compare(tied(form), quantizer, [ids]);
    expect([...graph.constants.values()].filter(({ dtype }) => dtype === 'int8')).toHaveLength(1);
    expect(graph.constants.has('table')).toBe(false);
    expect(constantBytes(graph)).toBeLessThan(128 * 32 + 128 * 4 + 32);
    expect(snrDb.get('y')).toBeGreaterThan(30);
    expect(notes.find(({ node }) => node === 'm')?.outcome).toBe('quantized');
    expect(quantizer(graph).apply(noEvidence).graph).toBe(graph);
  });

  test.each([
    ['behind Transpose', [48, 32], [['v', 'Transpose', ['w'], ['v'], { perm: ints([1, 0]) }]]],
    ['behind Identity', [32, 48], [['v', 'Identity', ['w'], ['v']]]],
    ['behind Squeeze', [1, 32, 48], [['v', 'Squeeze', ['w', 'zero'], ['v']]]],
    ['behind Reshape', [16, 96], [['v', 'Reshape', ['w', 'shape'], ['v']]]],
    ['behind a cast from half', [32, 48], [['v', 'Cast', ['w'], ['v'], { to: int(1) }]]],
  ] as const)('finds a weight %s', async (where, shape, lines) => {
    const w = draw(shape);
    const graph = network({
      inputs: { x: float32(5, 32) },
      outputs: ['y'],
      constants: {
        w: where.includes('half') ? half(w) : w,
        zero: tensor('int64', [1], BigInt64Array.of(0n)),
        shape: tensor('int64', [2], BigInt64Array.of(32n, 48n)),
      },
      lines: [...lines, ['m', 'MatMul', ['x', 'v'], ['y']]],
    });
    const { graph: small, snrDb } = await compare(graph, quantizer, [new Map([['x', draw([5, 32])]])]);
    expect(small.constants.has('w')).toBe(false);
    expect(small.nodes.some(({ id }) => id === 'v')).toBe(false);
    expect(snrDb.get('y')).toBeGreaterThan(least[name]);
  });

  test.each([
    ['one matrix of three axes', [2, 5, 32], [1, 32, 48]],
    ['a matrix per head', [3, 5, 32], [3, 32, 48]],
    ['a matrix per head, for one input', [5, 32], [3, 32, 48]],
  ] as const)('takes %s', async (_, x, w) => {
    const graph = network({
      inputs: { x: float32(...x) },
      outputs: ['y'],
      constants: { w: draw(w) },
      lines: [['m', 'MatMul', ['x', 'w'], ['y']]],
    });
    const { bytes, snrDb, graph: small } = await compare(graph, quantizer, [new Map([['x', draw(x)]])]);
    expect(small.constants.has('w')).toBe(false);
    expect(bytes).toBeLessThan(0.45);
    expect(snrDb.get('y')).toBeGreaterThan(least[name]);
  });

  test.each([
    ['a matrix', [32, 6]],
    ['stacked matrices', [2, 3, 32, 6]],
  ] as const)('takes a weight on the left of %s', async (_, x) => {
    const graph = network({
      inputs: { x: float32(...x) },
      outputs: ['y'],
      constants: { w: draw([48, 32]) },
      lines: [['m', 'MatMul', ['w', 'x'], ['y']]],
    });
    const { snrDb, graph: small } = await compare(graph, quantizer, [new Map([['x', draw(x)]])]);
    expect(small.constants.has('w')).toBe(false);
    expect(snrDb.get('y')).toBeGreaterThan(least[name]);
  });

  test('reaches into branches, and stores once what both read', async () => {
    const branch = (suffix: string, own: string): Graph =>
      createGraph({
        inputs: [],
        outputs: [`out${suffix}`],
        constants: new Map([[own, draw([32, 32])]]),
        opsets: new Map(),
        nodes: [
          createNode({ id: `a${suffix}`, op: 'MatMul', inputs: ['x', 'w'], outputs: [`h${suffix}`] }),
          createNode({ id: `b${suffix}`, op: 'MatMul', inputs: [`h${suffix}`, own], outputs: [`out${suffix}`] }),
        ],
      });
    const graph = inferShapes(
      createGraph({
        inputs: ['x', 'c'],
        outputs: ['y'],
        values: new Map([
          ['x', { dtype: 'float32' as const, shape: [4, 32] }],
          ['c', { dtype: 'bool' as const, shape: [] }],
        ]),
        constants: new Map([['w', draw([32, 32])]]),
        nodes: [
          createNode({
            id: 'if',
            op: 'If',
            inputs: ['c'],
            outputs: ['y'],
            attributes: {
              then_branch: { kind: 'graph', value: branch('_yes', 'u') },
              else_branch: { kind: 'graph', value: branch('_no', 'v') },
            },
          }),
        ],
      }),
    );
    for (const flag of [0, 1]) {
      const feeds = new Map<string, Tensor>([
        ['x', draw([4, 32])],
        ['c', tensor('bool', [], Uint8Array.of(flag))],
      ]);
      const { graph: small, snrDb, notes } = await compare(graph, quantizer, [feeds]);
      expect([...small.constants.values()].filter(({ data }) => data.length >= 512)).toHaveLength(3);
      expect([...small.constants.values()].some(({ dtype, data }) => dtype === 'float32' && data.length > 64)).toBe(
        false,
      );
      expect(snrDb.get('y')).toBeGreaterThan(least[name] - 3); // two layers, one after the other
      expect(notes.filter(({ outcome }) => outcome === 'quantized')).toHaveLength(4);
    }
  });
});

test('weights of a model in float16 go to MatMulNBits with float16 scales', async () => {
  const graph = network({
    inputs: { x: { dtype: 'float16', shape: [5, 32] } },
    outputs: ['y'],
    constants: { w: half(draw([32, 48])) },
    lines: [['m', 'MatMul', ['x', 'w'], ['y']]],
  });
  const { graph: small, snrDb } = await compare(graph, byName.weights, [new Map([['x', half(draw([5, 32]))]])]);
  expect(small.constants.get('w_scale')?.dtype).toBe('float16');
  expect(await fusedOps(small)).toMatchObject({ 'com.microsoft::MatMulNBits': 1 });
  expect(snrDb.get('y')).toBeGreaterThan(14);
});

describe('the static quantizer', () => {
  test.each(['transposed', 'gemm'] as const)('stores a table once that is also the output layer (%s)', async (form) => {
    const { graph, snrDb } = await compare(tied(form), staticQuantizer({ activations: { observer: minmax() } }), [ids]);
    expect([...graph.constants.values()].filter(({ data }) => data.length > 128)).toHaveLength(1);
    expect(snrDb.get('y')).toBeGreaterThan(28);
    expect(Object.keys(await fusedOps(graph)).some((op) => /MatMulIntegerToFloat|QGemm/.test(op))).toBe(true);
  });

  test('takes a weight on the left', async () => {
    const graph = network({
      inputs: { x: float32(32, 6) },
      outputs: ['y'],
      constants: { w: draw([48, 32]) },
      lines: [['m', 'MatMul', ['w', 'x'], ['y']]],
    });
    const {
      snrDb,
      graph: small,
      bytes,
    } = await compare(graph, staticQuantizer({ activations: { observer: minmax() } }), [
      new Map([['x', draw([32, 6])]]),
    ]);
    expect(small.constants.has('w')).toBe(false);
    expect(bytes).toBeLessThan(0.45);
    expect(snrDb.get('y')).toBeGreaterThan(30);
  });

  test('takes a weight behind Transpose that another node reads as it is', async () => {
    const graph = network({
      inputs: { x: float32(5, 32) },
      outputs: ['y'],
      constants: { w: draw([32, 32]) },
      lines: [
        ['t', 'Transpose', ['w'], ['v']],
        ['m', 'MatMul', ['x', 'v'], ['h']],
        ['n', 'MatMul', ['h', 'w'], ['y']],
      ],
    });
    const { snrDb, graph: small } = await compare(graph, staticQuantizer({ activations: { observer: minmax() } }), [
      new Map([['x', draw([5, 32])]]),
    ]);
    expect([...small.constants.values()].every(({ dtype, data }) => dtype !== 'float32' || data.length <= 32)).toBe(
      true,
    );
    expect(snrDb.get('y')).toBeGreaterThan(28);
  });
});
