import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  createGraph,
  createNode,
  float,
  floats,
  fromNumbers,
  type Graph,
  int,
  type Node,
  type Tensor,
  tensor,
  type ValueInfo,
} from '@espalier/core';
import { nodeFiles } from '@espalier/core/node';
import * as ort from 'onnxruntime-node';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { OnnxWriteOptions } from './encode-onnx.js';
import { writeOnnx } from './write-onnx.js';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'espalier-onnx-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** Writes a graph with an input x: float32[4], runs the file in onnxruntime on 1, 2, 3, 4, and returns y. */
async function run(graph: Graph, options: OnnxWriteOptions = {}): Promise<readonly number[]> {
  await writeOnnx(graph, nodeFiles(folder), { path: 'model.onnx', ...options });
  const session = await ort.InferenceSession.create(join(folder, 'model.onnx'), { logSeverityLevel: 3 });
  const { y } = await session.run({ x: new ort.Tensor('float32', Float32Array.of(1, 2, 3, 4), [4]) });
  await session.release();
  return Array.from(y!.data as Float32Array);
}

const four: ValueInfo = { dtype: 'float32', shape: [4] };
const graphOf = (nodes: readonly Node[], constants: Readonly<Record<string, Tensor>>, more: Partial<Graph> = {}) =>
  createGraph({
    inputs: ['x'],
    outputs: ['y'],
    nodes,
    constants: new Map(Object.entries(constants)),
    values: new Map([
      ['x', four],
      ['y', four],
    ]),
    ...more,
  });
const add = (id: string, inputs: readonly string[], output: string) =>
  createNode({ id, op: 'Add', inputs, outputs: [output] });
const ramp = (length: number) => floats(Float32Array.from({ length }, (_, i) => i));
const pickFour = createNode({ id: 'take', op: 'Slice', inputs: ['w', 'from', 'to'], outputs: ['part'] });
const bounds = { from: fromNumbers('int64', [1], [500]), to: fromNumbers('int64', [1], [504]) };

test('onnxruntime loads external weights', async () => {
  const graph = graphOf([pickFour, add('sum', ['x', 'part'], 'y')], { w: ramp(20_000), ...bounds });
  expect(await run(graph, { externalData: 'always', externalThreshold: 16 })).toEqual([501, 503, 505, 507]);
});

test('onnxruntime loads external weights of subgraphs', async () => {
  const body = createGraph({
    inputs: [],
    outputs: ['inner'],
    nodes: [pickFour, add('sum', ['x', 'part'], 'inner')],
    constants: new Map([['w', ramp(20_000)], ...Object.entries(bounds)]),
    values: new Map([['inner', four]]),
    opsets: new Map(),
  });
  const branch = createNode({
    id: 'branch',
    op: 'If',
    inputs: ['yes'],
    outputs: ['y'],
    attributes: { then_branch: { kind: 'graph', value: body }, else_branch: { kind: 'graph', value: body } },
  });
  const graph = graphOf([branch], { yes: tensor('bool', [], Uint8Array.of(1)) });
  expect(await run(graph, { externalData: 'always' })).toEqual([501, 503, 505, 507]);
});

test.each([
  ['float32', []],
  [
    'float16',
    [createNode({ id: 'cast', op: 'Cast', inputs: ['half'], outputs: ['part'], attributes: { to: int(1) } })],
  ],
] as const)('onnxruntime loads sparse %s weights', async (dtype, cast) => {
  const values = new Float32Array(20_000);
  values.set([10, 0, 30, 40], 500);
  const take = { ...pickFour, outputs: [cast.length > 0 ? 'half' : 'part'] };
  const graph = graphOf([take, ...cast, add('sum', ['x', 'part'], 'y')], {
    w: fromNumbers(dtype, [20_000], values),
    ...bounds,
  });
  expect(await run(graph, { sparse: true })).toEqual([11, 2, 33, 44]);
});

test('onnxruntime loads sparse weights without any value', async () => {
  const graph = graphOf([pickFour, add('sum', ['x', 'part'], 'y')], { w: floats(new Float32Array(20_000)), ...bounds });
  expect(await run(graph, { sparse: true })).toEqual([1, 2, 3, 4]);
});

test('onnxruntime runs functions with references to their attributes', async () => {
  const scale = createNode({
    id: 'leaky',
    op: 'LeakyRelu',
    inputs: ['a'],
    outputs: ['b'],
    attributes: { alpha: { kind: 'reference', value: 'slope', of: 'float' } },
  });
  const negate = createNode({ id: 'neg', op: 'Neg', inputs: ['x'], outputs: ['n'] });
  const call = createNode({
    id: 'call',
    op: 'local::Leak',
    inputs: ['n'],
    outputs: ['y'],
    attributes: { slope: float(0.5) },
  });
  const graph = graphOf(
    [negate, call],
    {},
    {
      opsets: new Map([
        ['', 17],
        ['local', 1],
      ]),
      functions: [
        {
          op: 'local::Leak',
          inputs: ['a'],
          outputs: ['b'],
          parameters: ['slope'],
          defaults: new Map(),
          nodes: [scale],
          values: new Map(),
          opsets: new Map([['', 17]]),
        },
      ],
    },
  );
  expect(await run(graph)).toEqual([-0.5, -1, -1.5, -2]);
});

test('onnxruntime loads int4 weights', async () => {
  const dequantize = createNode({ id: 'dq', op: 'DequantizeLinear', inputs: ['w', 's'], outputs: ['part'] });
  const graph = graphOf(
    [dequantize, add('sum', ['x', 'part'], 'y')],
    { w: fromNumbers('int4', [4], [-8, -1, 0, 7]), s: floats([2], []) },
    { opsets: new Map([['', 21]]) },
  );
  expect(await run(graph)).toEqual([-15, 0, 3, 18]);
});
