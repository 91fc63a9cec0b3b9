import { fromNumbers, type Tensor, toNumbers } from '@espalier/core';
import { gpuOpOf } from '../src/webgpu/gpu-ops.js';
import { download, fitsGpu, type GpuValue, onGpu, releaseGpuValue } from '../src/webgpu/gpu-value.js';
import { loadWebGpu } from '../src/webgpu/load-web-gpu.js';
import { type ConformanceCase, conformanceCases } from './conformance-cases.js';
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
  return inputs.map((each, slot): GpuValue | undefined => {
    if (!each) return undefined;
    const value: GpuValue = { dtype: each.dtype, shape: each.shape, host: each };
    if (reads.includes(slot) && slot > 0) return value;
    if (!fitsGpu(value)) return value;
    gpu.use(() => {
      const form = layout === 'last' && each.shape.length >= 3 ? 'last' : 'plain';
      // Small arrays would be computed on the CPU as long as they are there.
      backend.uploadToGPU(onGpu(gpu, value, form).dataId);
      if (form === 'last') value.plain?.dispose();
      if (form === 'last') value.plain = undefined;
    });
    return { ...value, host: undefined };
  });
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
      const outputs = gpu.use(() => kernel(call));
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

/** Runs the kernels of some of the conformance cases, in both layouts. */
export async function runCases(from: number, to: number): Promise<readonly (readonly Outcome[])[]> {
  const all: Outcome[][] = [];
  for (const each of conformanceCases.slice(from, to))
    all.push([await runCase(each, 'plain'), await runCase(each, 'last')]);
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
