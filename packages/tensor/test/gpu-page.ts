import { crossEntropy, sgd, type TrainingStep, trainingStep } from '@espalier/autodiff';
import {
  buildGraph,
  createRandom,
  fromNumbers,
  type Graph,
  int,
  scalar,
  sizeOf,
  type Tensor,
  toNumbers,
} from '@espalier/core';
import { setInputShapes } from '@espalier/ops';
import { describeExecutor, failuresOf } from '@espalier/testing';
import { lenet5, resnet20 } from '@espalier/zoo';
import { convNet, mobileNet, transformer } from '../../../test/small-nets.js';
import { createTensorCore } from '../src/create-tensor-core.js';
import { hasWebGpu } from '../src/has-web-gpu.js';
import type { Gpu } from '../src/webgpu/gpu.js';
import { gpuOpOf } from '../src/webgpu/gpu-ops.js';
import { download, fitsGpu, type GpuValue, onGpu, releaseGpuValue } from '../src/webgpu/gpu-value.js';
import { loadWebGpu } from '../src/webgpu/load-web-gpu.js';
import { type ConformanceCase, conformanceCases } from './conformance-cases.js';
import { gpuCases } from './gpu-cases.js';
import { graphOf } from './graph-of.js';

/** A tensor as plain data. */
export interface Plain {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data: readonly number[];
}

/** What a kernel gave, why it did not, or that it left the node to the host. */
export type Outcome =
  | { readonly outputs: Readonly<Record<string, Plain>>; readonly leaked: number }
  | { readonly error: string }
  | { readonly left: 'host' | 'lowered' };

const plain = (tensor: Tensor): Plain => ({
  dtype: tensor.dtype,
  shape: tensor.shape,
  data: Array.from(toNumbers(tensor) as ArrayLike<number>),
});

/** The inputs on the GPU alone but for those that the kernel reads, in one layout where they have one. */
async function onDevice({ op, inputs }: ConformanceCase, layout: 'plain' | 'last') {
  const gpu = await loadWebGpu();
  const found = gpuOpOf(op);
  const reads = typeof found === 'object' ? found.reads : [];
  const backend = gpu.tf.findBackend('webgpu') as unknown as { uploadToGPU(id: object): void }; // not in its type
  const place = async (each: Tensor | undefined, slot: number): Promise<GpuValue | undefined> => {
    if (!each) return undefined;
    const value: GpuValue = { dtype: each.dtype, shape: each.shape, host: each };
    if (reads.includes(slot) && slot > 0) return value;
    if (!fitsGpu(value)) return value;
    await gpu.use(() => {
      const form = layout === 'last' && each.shape.length >= 3 ? 'last' : 'plain';
      // Small arrays would be computed on the CPU as long as they are there.
      backend.uploadToGPU(onGpu(gpu, value, form).dataId);
      if (form === 'last') value.plain?.dispose();
      if (form === 'last') value.plain = undefined;
    });
    return { ...value, host: undefined };
  };
  return Promise.all(inputs.map(place));
}

/** Runs the kernel of one case. */
export async function runCase(each: ConformanceCase, layout: 'plain' | 'last'): Promise<Outcome> {
  const gpu = await loadWebGpu();
  const op = gpuOpOf(each.op);
  if (op === undefined || typeof op === 'string') return { left: op ?? 'host' };
  const before = gpu.tf.memory().numTensors;
  const inputs = await onDevice(each, layout);
  try {
    return await gpu.alone(async () => {
      const graph = graphOf(each);
      const node = graph.nodes[0]!; // one, by construction
      const call = { node, opset: graph.opsets.get('')!, gpu, tf: gpu.tf, inputs };
      const kernel = typeof op === 'function' ? op : op.run;
      const outputs = await gpu.use(() => kernel(call));
      if (!outputs) return { left: 'host' };
      const named: Record<string, Plain> = {};
      for (const [slot, name] of graph.outputs.entries()) named[name] = plain(await download(gpu, outputs[slot]!));
      for (const value of [...outputs, ...inputs]) if (value) releaseGpuValue(value);
      return { outputs: named, leaked: gpu.tf.memory().numTensors - before };
    });
  } catch (cause) {
    return { error: String(cause) };
  }
}

/** All cases for kernels. */
export const cases: readonly ConformanceCase[] = [...conformanceCases, ...gpuCases];

/** Runs the kernels of some of the cases, by their numbers, in a layout. */
export async function runCases(
  chosen: readonly (readonly [number: number, layout: 'plain' | 'last'])[],
): Promise<readonly Outcome[]> {
  const all: Outcome[] = [];
  for (const [number, layout] of chosen) all.push(await runCase(cases[number]!, layout)); // numbers of cases
  return all;
}

/** Whether NaN comes out of each op where it goes in, among 600 numbers. */
export async function runNaN(ops: readonly (readonly [op: string, inputs: number])[]): Promise<readonly Outcome[]> {
  const first = Float32Array.from({ length: 600 }, (_, i) => (i === 1 ? Number.NaN : ((i * 37) % 41) / 20 - 1));
  const inputs = [
    fromNumbers('float32', [600], first),
    fromNumbers('float32', [], [0.5]),
    fromNumbers('float32', [], [2]),
  ];
  const all: Outcome[] = [];
  for (const [op, count] of ops) all.push(await runCase({ op, inputs: inputs.slice(0, count) }, 'plain'));
  return all;
}

/** Runs a graph on the GPU with the page's own backend of TensorFlow.js in between, and tells which it is afterwards. */
export async function runBeside(): Promise<readonly [sum: readonly number[], backend: string]> {
  const gpu = await loadWebGpu();
  // Started while the GPU runs.
  const other = createTensorCore({ wasmPaths: '/wasm/' }).describe();
  const executor = createTensorCore({ backend: 'webgpu' });
  const session = await executor.open(sums());
  const run = () => session.run(new Map([['x', fromNumbers('float32', [600], new Float32Array(600).fill(2))]]));
  const first = run();
  await other;
  await gpu.tf.setBackend('wasm');
  const results = await Promise.all([first, run(), run()]);
  await executor.close();
  return [results.map((each) => Number(each.get('y')!.data[0])), gpu.tf.getBackend()];
}

/** y = Σ e^log x. */
function sums(): Graph {
  const b = buildGraph();
  const x = b.input('x', 'float32', ['n']);
  b.output(b.add('ReduceSum', [b.add('Exp', [b.add('Log', [x])])], { attributes: { keepdims: int(0) } }), 'y');
  return b.finish();
}

/** Codes of what fails after the device was taken away, and the sum that a session opened afterwards gives. */
export async function runLost(): Promise<readonly [failed: string, sum: number]> {
  const gpu = await loadWebGpu();
  const executor = createTensorCore({ backend: 'webgpu' });
  const [graph, feeds] = [sums(), new Map([['x', fromNumbers('float32', [600], new Float32Array(600).fill(2))]])];
  const session = await executor.open(graph);
  await session.run(feeds);
  const { device } = gpu.tf.findBackend('webgpu') as unknown as { readonly device: GPUDevice }; // not in its type
  device.destroy();
  await device.lost;
  const failed = await session.run(feeds).then(
    () => 'nothing',
    (cause: { readonly code?: string }) => String(cause.code),
  );
  await session.close();
  const again = await (await executor.open(graph)).run(feeds);
  await executor.close();
  return [failed, Number(again.get('y')!.data[0])];
}

/** The message of what fails where a tensor is larger than the device takes. */
export async function runTooLarge(): Promise<string> {
  const b = buildGraph();
  const x = b.input('x', 'float32', ['n']);
  b.output(b.add('Relu', [b.add('Expand', [x, b.input('shape', 'int64', [2])])]), 'y');
  const executor = createTensorCore({ backend: 'webgpu' });
  const session = await executor.open(b.finish());
  const feeds = (rows: number) =>
    new Map<string, Tensor>([
      ['x', fromNumbers('float32', [1024], new Float32Array(1024).fill(1))],
      ['shape', fromNumbers('int64', [2], [rows, 1024])],
    ]);
  const message = await session.run(feeds(2 ** 20)).then(
    () => 'nothing',
    (cause: unknown) => String((cause as { readonly code?: string }).code),
  );
  const after = await session.run(feeds(2));
  await executor.close();
  return `${message} ${after.get('y')!.shape}`;
}

/** The name of the runtime; null where there is no adapter. */
export const describeGpu = async (): Promise<string | null> =>
  (await hasWebGpu()) ? createTensorCore({ backend: 'webgpu' }).describe() : null;

/** What the conformance kit for executors finds wrong. */
export const runKit = (): Promise<readonly string[]> =>
  failuresOf(describeExecutor(() => createTensorCore({ backend: 'webgpu' }), { tolerance: 1e-5 }));

/** A step of training of a network by its name, with the feeds of its first step. */
function stepFor(name: string): { readonly step: TrainingStep; readonly feeds: ReadonlyMap<string, Tensor> } {
  const graph = nets[name]!(); // one of the names
  const shapes = graph.inputs.map((each) => [each, [4, ...graph.values.get(each)!.shape!.slice(1)]] as const);
  const step = trainingStep(setInputShapes(graph, new Map(shapes)), {
    loss: crossEntropy({}),
    optimizer: sgd({ momentum: 0.9 }),
  });
  const random = createRandom(5);
  const feeds = new Map<string, Tensor>();
  const carried = new Set(carriedOf(step).map(({ input }) => input));
  for (const input of step.graph.inputs) {
    const { dtype, shape = [] } = step.graph.values.get(input)!; // inputs have types
    if (carried.has(input)) continue;
    const sizes = shape.map(Number);
    const drawn = dtype === 'int64' ? () => random.below(3) : random.normal;
    feeds.set(input, fromNumbers(dtype, sizes, Array.from({ length: sizeOf(sizes) }, drawn)));
  }
  return { step, feeds: feeds.set(step.learningRate, scalar(0.01)).set(step.step, scalar(1)) };
}

const nets: Readonly<Record<string, () => Graph>> = {
  'LeNet-5': () => lenet5({}),
  'ResNet-20': () => resnet20({}),
  'a narrow ResNet-20': () => resnet20({ size: 8, width: 0.25 }),
  'convolution and pooling': convNet,
  'depthwise convolution': mobileNet,
  attention: transformer,
  'fake-quantizers': quantizedNet,
};

/** Weights and activations on lattices of 4 bits, the scales of which are learned. */
function quantizedNet(): Graph {
  const random = createRandom(3);
  const b = buildGraph({
    inputs: [],
    outputs: [],
    nodes: [],
    opsets: new Map([
      ['', 18],
      ['espalier', 1],
    ]),
  });
  const draw = (name: string, ...shape: number[]) =>
    b.constant(name, fromNumbers('float32', shape, Float32Array.from({ length: sizeOf(shape) }, random.normal)));
  const scale = (name: string, value: number) => b.constant(name, fromNumbers('float32', [], [value]));
  const onGrid = (value: string, by: string) =>
    b.add('espalier::FakeQuantize', [value, by], { attributes: { bits: int(4) } });
  const x = onGrid(b.input('x', 'float32', ['batch', 2, 8, 8]), scale('x_scale', 0.3));
  const w = onGrid(draw('w', 4, 2, 3, 3), scale('w_scale', 0.25));
  const y = b.add('Flatten', [b.add('Relu', [b.add('Conv', [x, w])])]);
  b.output(b.add('MatMul', [y, draw('fc', 144, 3)], { name: 'logits' }));
  return b.finish();
}

const carriedOf = (step: TrainingStep) => [...step.parameters, ...step.state, ...step.statistics];

/** |a - b| / |a|, by the Euclidean norm of all numbers together. */
function distance(a: readonly number[], b: readonly number[]): number {
  const norm = (list: readonly number[]) => Math.sqrt(list.reduce((sum, each) => sum + each * each, 0));
  return norm(a.map((each, i) => each - b[i]!)) / (norm(a) || 1);
}

/** How far a step of training on the GPU is from the same one in WebAssembly. */
export async function runTraining(name: string): Promise<Readonly<Record<'loss' | 'statistics' | 'moved', number>>> {
  const { step, feeds } = stepFor(name);
  const all = new Map([...feeds, ...carriedOf(step).map(({ input, initial }) => [input, initial] as const)]);
  const executors = [createTensorCore({ backend: 'webgpu' }), createTensorCore({ wasmPaths: '/wasm/' })] as const;
  const [found, want] = await Promise.all(
    executors.map(async (executor) => (await executor.open(step.graph)).run(all)),
  );
  const values = (of: readonly (readonly [string, Tensor | undefined])[], results: ReadonlyMap<string, Tensor>) =>
    of.flatMap(([output, initial]) => {
      const before = initial?.data as Float32Array | undefined; // parameters are floats
      return Array.from(results.get(output)!.data as Float32Array, (each, i) => each - (before?.[i] ?? 0));
    });
  const apart = (of: readonly (readonly [string, Tensor | undefined])[]) =>
    distance(values(of, want!), values(of, found!)); // one for each executor
  await Promise.all(executors.map((executor) => executor.close()));
  return {
    loss: apart([[step.loss, undefined]]),
    statistics: apart(step.statistics.map(({ output }) => [output, undefined])),
    // Parameters move little in one step, so what moved is compared.
    moved: apart(step.parameters.map(({ output, initial }) => [output, initial])),
  };
}

/** Losses of steps in a loop, and of the same steps fed back by hand in WebAssembly; memory on the way. */
export async function runLoop(name: string, steps: number) {
  const { step, feeds } = stepFor(name);
  const carried = carriedOf(step);
  const gpu = await loadWebGpu();
  const empty = gpu.tf.memory().numTensors;
  const executor = createTensorCore({ backend: 'webgpu' });
  const session = await executor.open(step.graph);
  const loop = await session.loop!(carried); // this backend has it
  const losses: number[] = [];
  const tensors: number[] = [];
  const bytes: number[] = [];
  const started = performance.now();
  for (let i = 1; i <= steps; i++) {
    const results = await loop.step(new Map(feeds).set(step.step, scalar(i)), [step.loss]);
    losses.push(Number(results.get(step.loss)!.data[0]));
    tensors.push(gpu.tf.memory().numTensors);
    bytes.push(gpuBytes(gpu));
  }
  const seconds = (performance.now() - started) / 1000;
  const last = await loop.read();
  await executor.close();
  const left = gpu.tf.memory().numTensors - empty;

  const other = createTensorCore({ wasmPaths: '/wasm/' });
  const again = await other.open(step.graph);
  const fed = new Map([...feeds, ...carried.map(({ input, initial }) => [input, initial] as const)]);
  const wanted: number[] = [];
  for (let i = 1; i <= steps; i++) {
    const results = await again.run(fed.set(step.step, scalar(i)));
    for (const { input, output } of carried) fed.set(input, results.get(output)!); // all were fetched
    wanted.push(Number(results.get(step.loss)!.data[0]));
  }
  await other.close();
  const numbers = (of: ReadonlyMap<string, Tensor>) =>
    step.parameters.flatMap(({ input }) => Array.from(of.get(input)!.data as Float32Array)); // parameters are floats
  return { losses, wanted, tensors, bytes, left, apart: distance(numbers(fed), numbers(last)), rate: steps / seconds };
}

const gpuBytes = (gpu: Gpu): number =>
  (gpu.tf.findBackend('webgpu') as unknown as { bufferManager: { numBytesAllocated: number } }).bufferManager
    .numBytesAllocated; // not in its type
