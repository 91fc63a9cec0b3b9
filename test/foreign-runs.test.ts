import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CompressReport, outcomeOf } from '@espalier/analysis';
import {
  createGraph,
  createNode,
  createRandom,
  floats,
  type Graph,
  int,
  ints,
  joinBytes,
  longs,
  scalar,
  type Tensor,
  tensor,
} from '@espalier/core';
import { nodeFiles } from '@espalier/core/node';
import { encodeOnnx } from '@espalier/onnx';
import { createOnnxRuntime } from '@espalier/onnxruntime';
import { compress } from '@espalier/recipe';
import { findPreset, registry } from 'espalier';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

// Models that the runtime here cannot run as they are: an op that it does not know, a type that it has no kernels for.
const executor = createOnnxRuntime({ threads: 1 });
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'espalier-foreign-'));
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await executor.close();
});

const random = createRandom(8);
const draw = (shape: readonly number[]): Tensor<'float32'> =>
  floats(
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.normal() * 0.2),
    shape,
  );
const doubles = (shape: readonly number[]): Tensor<'float64'> =>
  tensor('float64', shape, Float64Array.from(draw(shape).data));

const custom: Graph = createGraph({
  inputs: ['x'],
  outputs: ['y'],
  opsets: new Map([
    ['', 17],
    ['acme.ai', 1],
  ]),
  values: new Map([
    ['x', { dtype: 'float32' as const, shape: ['N', 64] }],
    ['y', { dtype: 'float32' as const, shape: ['N', 64] }],
  ]),
  constants: new Map<string, Tensor>([
    ['w', draw([64, 64])],
    ['k', draw([64])],
    ['v', draw([64, 64])],
  ]),
  nodes: [
    createNode({ id: 'a', op: 'MatMul', inputs: ['x', 'w'], outputs: ['h'] }),
    createNode({ id: 'f', op: 'acme.ai::Fancy', inputs: ['h', 'k'], outputs: ['g'] }),
    createNode({ id: 'b', op: 'MatMul', inputs: ['g', 'v'], outputs: ['y'] }),
  ],
});

/** onnxruntime has no convolution of float64. */
const double: Graph = createGraph({
  inputs: ['x'],
  outputs: ['y'],
  values: new Map([
    ['x', { dtype: 'float64' as const, shape: ['N', 8, 12, 12] }],
    ['y', { dtype: 'float64' as const, shape: ['N', 16, 12, 12] }],
  ]),
  constants: new Map<string, Tensor>([
    ['w', doubles([32, 8, 1, 1])],
    ['v', doubles([16, 32, 1, 1])],
  ]),
  nodes: [
    createNode({ id: 'a', op: 'Conv', inputs: ['x', 'w'], outputs: ['h'] }),
    createNode({ id: 'r', op: 'Relu', inputs: ['h'], outputs: ['g'] }),
    createNode({ id: 'b', op: 'Conv', inputs: ['g', 'v'], outputs: ['y'] }),
  ],
});

async function run(graph: Graph, preset: string): Promise<CompressReport> {
  const [input, output] = [join(folder, 'model.onnx'), join(folder, `${preset}.onnx`)];
  writeFileSync(input, joinBytes(encodeOnnx(graph)));
  rmSync(output, { force: true });
  const files = nodeFiles('/', { confine: false });
  return compress({ recipe: findPreset(preset).recipe, registry, executor, files, input, output });
}

describe('a model with an op that no runtime here knows', () => {
  it.each(['int8-dynamic', 'int4-weights', 'fp16'])(
    'is written by %s, and the first line says that nothing ran',
    async (preset) => {
      const report = await run(custom, preset);
      expect(existsSync(report.output.path)).toBe(true);
      expect(report.output.bytes / report.input.bytes).toBeLessThan(0.6);
      expect(report.fed).toMatchObject({ role: 'none', data: null });
      expect(outcomeOf(report)).toMatch(
        /^The file was written, but not run: the runtime takes neither the original nor the result\. .*acme\.ai::Fancy/,
      );
      expect(report.warnings.join(' ')).not.toMatch(/too large/);
    },
  );

  it('is refused by int8 with what quantizes it without running it', async () => {
    await expect(run(custom, 'int8')).rejects.toThrow(/steps\[2\].*a model that runs here.*acme\.ai::Fancy.*dynamic/);
    expect(existsSync(join(folder, 'int8.onnx'))).toBe(false);
  });
});

describe('a model of a type that the runtime has no kernels for', () => {
  it.each([
    ['int8', 0.45, 30],
    ['int8-dynamic', 0.3, 35],
    ['fp16', 0.35, 60],
    ['int4-weights', 1.02, 200], // it has no matrix: the result is run in float32 too
  ] as const)('is compared by %s in float32, which a warning says', async (preset, most, least) => {
    const report = await run(double, preset);
    expect(report.output.bytes / report.input.bytes).toBeLessThan(most);
    expect(report.comparison?.outputs[0]?.snrDb).toBeGreaterThan(least);
    expect(report.warnings.join(' ')).toMatch(/no kernels for the type/);
  });
});

it('a picture of [height, width, 3] is fed whole through calibration, comparison and errors by layer', async () => {
  const picture: Graph = createGraph({
    inputs: ['image'],
    outputs: ['y'],
    values: new Map([
      ['image', { dtype: 'uint8' as const, shape: ['height', 'width', 3] }],
      ['y', { dtype: 'float32' as const, shape: [1, 16, 'h', 'w'] }],
    ]),
    constants: new Map<string, Tensor>([
      ['scale', scalar(255)],
      ['first', longs([0])],
      ['w', draw([16, 3, 4, 4])],
    ]),
    nodes: [
      createNode({ id: 'c', op: 'Cast', inputs: ['image'], outputs: ['f'], attributes: { to: int(1) } }),
      createNode({ id: 'd', op: 'Div', inputs: ['f', 'scale'], outputs: ['n'] }),
      createNode({ id: 't', op: 'Transpose', inputs: ['n'], outputs: ['p'], attributes: { perm: ints([2, 0, 1]) } }),
      createNode({ id: 'u', op: 'Unsqueeze', inputs: ['p', 'first'], outputs: ['b'] }),
      createNode({ id: 'k', op: 'Conv', inputs: ['b', 'w'], outputs: ['y'], attributes: { strides: ints([4, 4]) } }),
    ],
  });
  const report = await run(picture, 'int8');
  expect(report.comparison?.outputs[0]?.snrDb).toBeGreaterThan(30);
  expect(report.latency?.ratio).toBeGreaterThan(0);
  expect(report.layers.some(({ snrDb }) => snrDb !== null)).toBe(true);
});
