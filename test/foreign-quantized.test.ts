import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CompressReport } from '@espalier/analysis';
import {
  createGraph,
  createNode,
  createRandom,
  floats,
  type Graph,
  int,
  ints,
  joinBytes,
  type Node,
  scalar,
  type Tensor,
  tensor,
} from '@espalier/core';
import { nodeFiles } from '@espalier/core/node';
import { decodeOnnx, encodeOnnx } from '@espalier/onnx';
import { createOnnxRuntime } from '@espalier/onnxruntime';
import { compress } from '@espalier/recipe';
import { findPreset, registry } from 'espalier';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

// Models that other tools quantized, in their four usual forms, each with a float layer behind the quantized ones.
const executor = createOnnxRuntime({ threads: 1 });
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'espalier-quantized-'));
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await executor.close();
});

const random = createRandom(4);
const size = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);
const draw = (shape: readonly number[], deviation = 0.15): Tensor<'float32'> =>
  floats(
    Float32Array.from({ length: size(shape) }, () => random.normal() * deviation),
    shape,
  );
const codes = (shape: readonly number[]): Tensor<'int8'> =>
  tensor(
    'int8',
    shape,
    Int8Array.from({ length: size(shape) }, () => random.below(255) - 127),
  );
const uint8 = (value: number) => tensor('uint8', [], Uint8Array.of(value));
const int8 = (value: number) => tensor('int8', [], Int8Array.of(value));

interface Parts {
  readonly inputs: Readonly<Record<string, readonly (number | string)[]>>;
  readonly constants: Readonly<Record<string, Tensor>>;
  readonly nodes: readonly Node[];
}

const model = ({ inputs, constants, nodes }: Parts): Graph =>
  createGraph({
    inputs: Object.keys(inputs),
    outputs: ['y'],
    opsets: new Map([
      ['', 17],
      ['com.microsoft', 1],
    ]),
    values: new Map([
      ...Object.entries(inputs).map(
        ([name, shape]) =>
          [name, { dtype: name === 'ids' ? ('int64' as const) : ('float32' as const), shape }] as const,
      ),
      ['y', { dtype: 'float32' as const, shape: ['N', ...(inputs['ids'] ? ['T'] : []), 48] }] as const,
    ]),
    constants: new Map(Object.entries(constants)),
    nodes,
  });

const node = (
  op: string,
  inputs: readonly string[],
  outputs: readonly string[],
  attributes: Node['attributes'] = new Map(),
) => ({ ...createNode({ id: `${op}_${outputs[0]}`, op, inputs, outputs }), attributes }) satisfies Node;

const scales = { s: scalar(0.03), sw: scalar(0.002), z: uint8(128), zw: int8(0) };
const same = new Map([['pads', ints([1, 1, 1, 1])]]);
/** The float layers behind: they flatten and multiply. */
const behind = [
  node('GlobalAveragePool', ['r'], ['p']),
  node('Flatten', ['p'], ['f']),
  node('Gemm', ['f', 'v'], ['y'], new Map([['transB', int(1)]])),
];

const qdq = model({
  inputs: { x: ['N', 16, 8, 8] },
  constants: { ...scales, w: codes([64, 16, 3, 3]), v: draw([48, 64]) },
  nodes: [
    node('QuantizeLinear', ['x', 's', 'z'], ['xq']),
    node('DequantizeLinear', ['xq', 's', 'z'], ['xd']),
    node('DequantizeLinear', ['w', 'sw', 'zw'], ['wd']),
    node('Conv', ['xd', 'wd'], ['c'], same),
    node('QuantizeLinear', ['c', 's', 'z'], ['cq']),
    node('DequantizeLinear', ['cq', 's', 'z'], ['r']),
    ...behind,
  ],
});

const operators = model({
  inputs: { x: ['N', 16, 8, 8] },
  constants: { ...scales, w: codes([64, 16, 3, 3]), v: draw([48, 64]) },
  nodes: [
    node('QuantizeLinear', ['x', 's', 'z'], ['xq']),
    node('QLinearConv', ['xq', 's', 'z', 'w', 'sw', 'zw', 's', 'z'], ['cq'], same),
    node('DequantizeLinear', ['cq', 's', 'z'], ['r']),
    ...behind,
  ],
});

const dynamic = model({
  inputs: { ids: ['N', 'T'] },
  constants: { table: draw([256, 64], 1), w: codes([64, 128]), ...scales, b: draw([128]), v: draw([128, 48]) },
  nodes: [
    node('Gather', ['table', 'ids'], ['e']),
    node('DynamicQuantizeLinear', ['e'], ['eq', 'es', 'ez']),
    node('MatMulInteger', ['eq', 'w', 'ez', 'zw'], ['sums']),
    node('Cast', ['sums'], ['float'], new Map([['to', int(1)]])),
    node('Mul', ['es', 'sw'], ['scale']),
    node('Mul', ['float', 'scale'], ['product']),
    node('Add', ['product', 'b'], ['h']),
    node('Tanh', ['h'], ['t']),
    node('MatMul', ['t', 'v'], ['y']),
  ],
});

const blocks = model({
  inputs: { ids: ['N', 'T'] },
  constants: {
    table: draw([256, 64], 1),
    w: tensor(
      'uint8',
      [128, 2, 16],
      Uint8Array.from({ length: 128 * 2 * 16 }, () => random.below(256)),
    ),
    ws: floats(new Float32Array(256).fill(0.02), [256]),
    v: draw([128, 48]),
  },
  nodes: [
    node('Gather', ['table', 'ids'], ['e']),
    node(
      'com.microsoft::MatMulNBits',
      ['e', 'w', 'ws'],
      ['h'],
      new Map([
        ['K', int(64)],
        ['N', int(128)],
        ['bits', int(4)],
        ['block_size', int(32)],
      ]),
    ),
    node('Tanh', ['h'], ['t']),
    node('MatMul', ['t', 'v'], ['y']),
  ],
});

const models = { qdq, operators, dynamic, blocks } as const;

async function run(name: keyof typeof models, preset: string): Promise<{ report: CompressReport; graph: Graph }> {
  const [input, output] = [join(folder, `${name}.onnx`), join(folder, `${name}-${preset}.onnx`)];
  writeFileSync(input, joinBytes(encodeOnnx(models[name])));
  const files = nodeFiles('/', { confine: false });
  const report = await compress({ recipe: findPreset(preset).recipe, registry, executor, files, input, output });
  return { report, graph: decodeOnnx(new Uint8Array(readFileSync(output))) };
}

const integerOps = ['QLinearConv', 'MatMulInteger', 'com.microsoft::MatMulNBits'] as const;
const countOf = (graph: Graph, op: string) => graph.nodes.filter((each) => each.op === op).length;
/** Whether the codes of the foreign layer stand in a graph as they were. */
const holdsCodes = (graph: Graph, codes: Tensor) =>
  [...graph.constants.values()].some(
    ({ dtype, data }) =>
      dtype === codes.dtype && data.length === codes.data.length && String(data) === String(codes.data),
  );

describe.each(Object.keys(models) as (keyof typeof models)[])('a model quantized elsewhere (%s)', (name) => {
  it.each(['int8', 'int8-dynamic', 'int4-weights', 'fp16'])(
    'keeps its integers under %s and never grows',
    async (preset) => {
      const { report, graph } = await run(name, preset);
      expect(report.output.bytes).toBeLessThan(report.input.bytes * 1.02);
      expect(holdsCodes(graph, models[name].constants.get('w')!)).toBe(true);
      for (const op of integerOps) expect(countOf(graph, op)).toBeGreaterThanOrEqual(countOf(models[name], op));
      for (const { snrDb, nonFinite } of report.comparison!.outputs) {
        expect(nonFinite).toBe(0);
        expect(snrDb).toBeGreaterThan(preset === 'int4-weights' ? 14 : 25);
      }
    },
  );

  it.each(['int8', 'int8-dynamic'])('has its float layer quantized by %s', async (preset) => {
    const { report, graph } = await run(name, preset);
    expect(report.layers.find(({ node }) => /(Gemm|MatMul)_y/.test(node))?.after?.weightBits).toBe(8);
    expect([...graph.constants.values()].some(({ dtype, data }) => dtype === 'float32' && data.length > 2048)).toBe(
      false,
    );
  });

  it.each(['prune-50', 'prune-int8'])('runs after %s', async (preset) => {
    const { report } = await run(name, preset);
    expect(report.comparison?.outputs.every(({ nonFinite, count }) => nonFinite === 0 && count > 0)).toBe(true);
  });
});
