import {
  EspalierError,
  type Graph,
  isFloat,
  type Node,
  opsetOf,
  sizeOf,
  type Tensor,
  type ValueId,
} from '@espalier/core';
import { evaluateNode, isEvaluated } from '@espalier/ops';
import { kernelFailed, unsupportedForm } from '../errors.js';
import type { Plan, Step } from '../plan.js';
import type { RunResults } from '../session-shell.js';
import type { Gpu } from './gpu.js';
import type { GpuCall, GpuOp } from './gpu-kernel.js';
import { gpuOpOf } from './gpu-ops.js';
import { download, type GpuValue, releaseGpuValue, sharedGpuValue } from './gpu-value.js';

/** The data of a run. */
export interface GpuRun {
  readonly gpu: Gpu;
  readonly graph: Graph;
  readonly plan: Plan;
  /** Values that outlive the run: constants, and tensors carried from the run before. */
  readonly held: ReadonlyMap<ValueId, GpuValue>;
  /** Outputs to be read back. */
  readonly fetched: readonly ValueId[];
  /** Outputs to be kept on the GPU. */
  readonly kept: readonly ValueId[];
}

// Small arrays that are on the host anyway are computed there: shapes and indices exactly, scalars in float64.
const smallFloats = 256;
const smallIntegers = 2 ** 16;

/**
 * Runs the steps in order. What is on the GPU is given to it without waiting; only a step that needs numbers on the
 * host waits for them. Everything but the results is freed, also after a failure.
 */
export async function runGpuPlan(run: GpuRun, feeds: ReadonlyMap<string, Tensor>): Promise<RunResults<GpuValue>> {
  const { gpu, plan, held } = run;
  const values = new Map<ValueId, GpuValue>();
  for (const [name, { dtype, shape, data }] of feeds)
    values.set(name, { dtype, shape, host: { dtype, shape, data } as Tensor }); // the tensor itself, without more
  const find = (name: ValueId | undefined) => (name === undefined ? undefined : (values.get(name) ?? held.get(name)));
  const hosted = new Set<Step>();
  const kept = new Map<ValueId, GpuValue>();
  try {
    let next = 0;
    while (next < plan.steps.length) {
      const missing = await gpu.use(() => {
        for (; next < plan.steps.length; next++) {
          const step = plan.steps[next]!; // within the list
          const inputs = step.node.inputs.map(find);
          const needed = neededOnHost(step, inputs, hosted.has(step));
          if (needed.length > 0) return needed;
          const outputs = runStep(step.node, { run, inputs, host: hosted.has(step) });
          if (!outputs) {
            hosted.add(step);
            next--;
          } else settle(step, outputs, values);
        }
        return [];
      });
      await Promise.all(missing.map((value) => download(gpu, value)));
    }
    await gpu.use(() => {
      for (const name of run.kept) kept.set(name, sharedGpuValue(gpu, find(name)!)); // an output, which is defined
    });
    const fetched = new Map<string, Tensor>();
    const tensors = await Promise.all(run.fetched.map((name) => download(gpu, find(name)!))); // likewise
    run.fetched.forEach((name, i) => {
      fetched.set(name, copied(tensors[i]!)); // one for each
    });
    return { fetched, kept };
  } catch (cause) {
    for (const value of kept.values()) releaseGpuValue(value);
    throw cause;
  } finally {
    for (const value of values.values()) releaseGpuValue(value);
  }
}

/** A tensor that the caller may write to. */
const copied = (source: Tensor): Tensor => ({ ...source, data: source.data.slice() }) as Tensor; // the same dtype

/** Puts the outputs of a step where the next ones find them, and frees what nothing needs after it. */
function settle({ node, dying }: Step, outputs: readonly GpuValue[], values: Map<ValueId, GpuValue>): void {
  node.outputs.forEach((name, slot) => {
    const value = outputs[slot];
    if (name !== undefined && value) values.set(name, value);
    else if (value) releaseGpuValue(value);
  });
  for (const name of dying) {
    const value = values.get(name);
    if (value) releaseGpuValue(value);
    values.delete(name);
  }
}

type Inputs = readonly (GpuValue | undefined)[];

const onHostOnly = (value: GpuValue): boolean => value.host !== undefined && !value.plain && !value.last;

/** Whether a step is computed on the host whatever its kernel could do. */
function belongsOnHost(node: Node, inputs: Inputs, op: GpuOp | undefined): boolean {
  if (!isEvaluated(node.op)) return false;
  if (op === 'host' || op === undefined) return true;
  // Nothing to compute, or so little that the way to the GPU is longer.
  return (
    inputs.some((value) => value && sizeOf(value.shape) === 0) ||
    inputs.every(
      (value) =>
        !value || (onHostOnly(value) && sizeOf(value.shape) <= (isFloat(value.dtype) ? smallFloats : smallIntegers)),
    )
  );
}

/** Inputs that have to be read back before the step can run. */
function neededOnHost({ node }: Step, inputs: Inputs, hosted: boolean): readonly GpuValue[] {
  const op = gpuOpOf(node.op);
  const slots = hosted || belongsOnHost(node, inputs, op) ? inputs.keys() : typeof op === 'object' ? op.reads : [];
  return [...slots].flatMap((slot) => {
    const value = inputs[slot];
    return value && !value.host ? [value] : [];
  });
}

/** The outputs of a node; undefined where its inputs are needed on the host after all. */
function runStep(
  node: Node,
  { run: { gpu, graph }, inputs, host }: { readonly run: GpuRun; readonly inputs: Inputs; readonly host: boolean },
): readonly GpuValue[] | undefined {
  const op = gpuOpOf(node.op);
  const opset = opsetOf(graph);
  try {
    if (host || belongsOnHost(node, inputs, op)) {
      const tensors = inputs.map((value) => value?.host);
      const found = evaluateNode(node, { inputs: tensors, opset, maxBytes: 2 ** 31 });
      if (found) return found.map((each) => ({ dtype: each.dtype, shape: each.shape, host: each }));
      if (host) throw unsupportedForm(node, `inputs ${typesOf(inputs)}`);
    }
    const call: GpuCall = { node, opset, gpu, tf: gpu.tf, inputs };
    const found = typeof op === 'function' ? op(call) : typeof op === 'object' ? op.run(call) : undefined;
    if (found) return found;
    if (isEvaluated(node.op)) return undefined;
  } catch (cause) {
    throw cause instanceof EspalierError ? cause : kernelFailed(node, cause);
  }
  throw unsupportedForm(node, `inputs ${typesOf(inputs)}`);
}

const typesOf = (inputs: Inputs): string =>
  inputs.map((value) => (value ? `${value.dtype}[${value.shape.join(',')}]` : 'none')).join(', ');
