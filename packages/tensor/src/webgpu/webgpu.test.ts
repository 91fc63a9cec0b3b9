import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type DType, EspalierError, fromNumbers, type Tensor } from '@espalier/core';
import { afterAll, describe, expect, it } from 'vitest';
import { hasChromium, type OpenPage, openPage } from '../../../../test/chromium-page.js';
import { evaluateGraph } from '../../../../test/float64/evaluate-graph.js';
import { largestDifference, runOnnx } from '../../../../test/run-onnx.js';
import { type ConformanceCase, conformanceCases } from '../../test/conformance-cases.js';
import { gpuCases } from '../../test/gpu-cases.js';
import type { Outcome } from '../../test/gpu-page.js';
import { graphOf } from '../../test/graph-of.js';
import { createTensorCore } from '../create-tensor-core.js';
import { supportedOps } from '../kernel-of.js';
import { gpuOpOf } from './gpu-ops.js';

describe('without WebGPU', () => {
  it('opening says what is missing, and what to do', async () => {
    const executor = createTensorCore({ backend: 'webgpu' });
    const found = await executor.describe().catch((cause: unknown) => cause);
    expect(found).toBeInstanceOf(EspalierError);
    expect(found).toMatchObject({ code: 'EXECUTOR_MISSING', details: { backend: 'webgpu' } });
    expect(String(found)).toContain("no navigator.gpu. Use a browser with WebGPU, or backend 'wasm'");
  });
});

// Chromium brings SwiftShader, a GPU in software: good for what is computed, not for how fast.
const flags = ['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader'];
const program = `import * as all from './gpu-page.ts'; globalThis.run = (name, ...given) => all[name](...given);`;
const folder = fileURLToPath(new URL('../../test/', import.meta.url));
let page: OpenPage;

/** The adapter's name; undefined where this Chromium has none. */
async function opened(): Promise<string | undefined> {
  const wasm = dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm'));
  page = await openPage({ program, folder, flags, serve: { '/wasm/': wasm } });
  return (await page.run<string | null>('describeGpu')) ?? undefined;
}
const adapter = hasChromium() ? await opened() : undefined;
afterAll(() => page?.close());

const all: readonly ConformanceCase[] = [...conformanceCases, ...gpuCases];

/** Every op with its cases: all that are about GPUs, three of the others and then one of four, in either layout. */
const chosen = new Map<string, (readonly [number: number, layout: 'plain' | 'last'])[]>();
for (const [number, { op }] of all.entries()) {
  const known = chosen.get(op) ?? [];
  chosen.set(op, known);
  const image = all[number]!.inputs.some((each) => (each?.shape.length ?? 0) >= 3);
  if (known.length < 3 || number % 4 === 0 || number >= conformanceCases.length)
    known.push([number, image && number % 2 === 0 ? 'last' : 'plain']);
}

/** Float64 loops where onnxruntime rounds too, or does not know the op. */
async function expected(each: ConformanceCase): Promise<ReadonlyMap<string, Tensor>> {
  const graph = graphOf(each);
  const feeds = new Map(each.inputs.flatMap((input, i) => (input ? [[`x${i}`, input] as const] : [])));
  if (!each.op.startsWith('espalier::') && !/long|near 0/.test(each.note ?? '')) return runOnnx(graph, feeds);
  const values = evaluateGraph(graph, feeds);
  return new Map(graph.outputs.map((name) => [name, values.get(name)!])); // it returns every value
}

const tensors = (outputs: Extract<Outcome, { outputs: unknown }>['outputs']) =>
  new Map(
    Object.entries(outputs).map(([name, { dtype, shape, data }]) => [name, fromNumbers(dtype as DType, shape, data)]),
  );

const onHost: readonly string[] = supportedOps.filter((op) => gpuOpOf(op) === 'host');
const lowered: readonly string[] = supportedOps.filter((op) => gpuOpOf(op) === 'lowered');
/** Forms that are computed on the host. */
const left = /of integers|float32 to 7|CastLike|mul$|max$|min$/;

// Without Chromium, or an adapter in it, there is nothing to run on.
describe.skipIf(adapter === undefined)('on the GPU', () => {
  const ops = [...chosen.keys()].filter((op) => !onHost.includes(op) && !lowered.includes(op));

  it('has a case for every op that runs there', () => {
    const older = ['Scatter', 'Upsample', 'Swish', 'espalier::MaxPoolGradient'];
    const missing = supportedOps.filter((op) => ![...chosen.keys(), ...onHost, ...lowered, ...older].includes(op));
    expect(missing).toEqual([]);
  });

  it.each(ops)('%s gives what onnxruntime, or plain loops in float64, give', async (op) => {
    const numbers = chosen.get(op)!; // its own keys
    const outcomes = await page.run<readonly Outcome[]>('runCases', numbers);
    expect(outcomes.length).toBe(numbers.length);
    for (const [i, outcome] of outcomes.entries()) {
      const each = all[numbers[i]![0]]!; // one outcome for each
      const name = `${op} ${each.note ?? ''}`;
      if ('left' in outcome) {
        expect(name).toMatch(left);
        continue;
      }
      expect([name, 'error' in outcome ? outcome.error : '']).toEqual([name, '']);
      if ('error' in outcome) continue;
      const [want, found] = [await expected(each), tensors(outcome.outputs)];
      expect([name, largestDifference(want, found) < 1e-5]).toEqual([name, true]);
      for (const [output, { dtype }] of found)
        if (want.get(output)!.dtype !== 'float64') expect(dtype).toBe(want.get(output)!.dtype);
      expect([name, outcome.leaked]).toEqual([name, 0]);
    }
  });

  const nan = [
    ...'Relu Abs Neg Exp Log Sqrt Reciprocal Sigmoid Tanh Erf Sign Floor Ceil Round LeakyRelu HardSigmoid'.split(' '),
    ...'HardSwish Elu Selu Celu Softplus Softsign ThresholdedRelu Gelu Mish Shrink Sinh Cosh Asinh Acosh'.split(' '),
    ...'Atanh Softmax LogSoftmax'.split(' '),
  ];
  const two = ['Add', 'Sub', 'Mul', 'Div', 'PRelu', 'Max', 'Min', 'Sum', 'Mean', 'Pow'];
  const reduced = ['ReduceSum', 'ReduceMean', 'ReduceMax', 'ReduceMin', 'ReduceL2', 'ReduceLogSumExp'];

  it('NaN comes out where it goes in', async () => {
    const asked = [
      ...[...nan, ...reduced].map((op) => [op, 1] as const),
      ...two.map((op) => [op, 2] as const),
      ['Clip', 3] as const,
    ];
    const outcomes = await page.run<readonly Outcome[]>('runNaN', asked);
    const lost = asked.filter((_, i) => {
      const outcome = outcomes[i]!; // one for each
      const data = 'outputs' in outcome ? outcome.outputs['y0']!.data : [];
      return !Number.isNaN(data[data.length === 1 ? 0 : 1]);
    });
    expect(lost).toEqual([]);
  });

  it('passes the conformance kit of executors', async () => {
    expect(await page.run('runKit')).toEqual([]);
  });

  // Rounding differs, sums on the GPU are in another order: still within a thousandth of what a step moves.
  it.each([
    'LeNet-5',
    'a narrow ResNet-20',
    'convolution and pooling',
    'depthwise convolution',
    'attention',
    'fake-quantizers',
  ])('a step of training of %s gives what it gives in WebAssembly', async (net) => {
    const { loss, statistics, moved } = await page.run<Record<'loss' | 'statistics' | 'moved', number>>(
      'runTraining',
      net,
    );
    expect(loss).toBeLessThan(1e-5);
    expect(statistics).toBeLessThan(1e-5);
    expect(moved).toBeLessThan(1e-3);
  });

  it('steps in a loop keep their tensors on the GPU, memory is flat, and closing frees everything', async () => {
    const {
      losses,
      wanted,
      tensors: counts,
      bytes,
      apart,
      left: remaining,
    } = await page.run<
      Record<'losses' | 'wanted' | 'tensors' | 'bytes', readonly number[]> & Record<'apart' | 'left', number>
    >('runLoop', 'convolution and pooling', 20);
    for (const [i, loss] of losses.entries()) expect(loss).toBeCloseTo(wanted[i]!, 3);
    expect(losses[19]).toBeLessThan(losses[0]!);
    expect(apart).toBeLessThan(1e-3);
    expect(new Set(counts.slice(1)).size).toBe(1);
    expect(new Set(bytes.slice(5)).size).toBe(1);
    expect(remaining).toBe(0);
  });

  it('leaves the default backend of the page alone, and runs beside it', async () => {
    const [found, backend] = await page.run<readonly [readonly number[], string]>('runBeside');
    for (const sum of found) expect(sum).toBeCloseTo(1200, 2);
    expect(backend).toBe('wasm');
  });

  it('refuses tensors that the device cannot hold, and goes on', async () => {
    expect(await page.run('runTooLarge')).toBe('EXECUTOR_MEMORY 2,1024');
  });

  it('says that the device was lost, and takes another one afterwards', async () => {
    const [failed, sum] = await page.run<readonly [string, number]>('runLost');
    expect(failed).toBe('EXECUTOR_LOST');
    expect(sum).toBeCloseTo(1200, 2);
  });
});
