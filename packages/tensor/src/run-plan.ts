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
import { evaluateNode, isEvaluated } from '@espalier/passes';
import { kernelFailed, outOfMemory, unsupportedForm } from './errors.js';
import type { Heap } from './heap.js';
import type { Call } from './kernel.js';
import { kernelOf } from './kernel-of.js';
import type { Plan, Step } from './plan.js';
import { hostOf, hostValue, releaseValue, type Value } from './value.js';

/** What a run works on. */
export interface Run {
  readonly heap: Heap;
  readonly graph: Graph;
  readonly plan: Plan;
  readonly constants: ReadonlyMap<ValueId, Value>;
  /** Told how long each node took; for profiles. */
  readonly watch?: (node: Node, milliseconds: number) => void;
}

// Small arrays that are on the host anyway are computed there: shapes and indices exactly, scalars in float64.
const smallFloats = 256;
const smallIntegers = 2 ** 16;
const hostBytes = 2 ** 20;

/** Runs the steps in order and reads the wanted values back. Everything else is freed, also after a failure. */
export function runPlan(
  { heap, graph, plan, constants, watch }: Run,
  feeds: ReadonlyMap<string, Tensor>,
): Map<string, Tensor> {
  const values = new Map<ValueId, Value>();
  for (const [name, feed] of feeds) values.set(name, hostValue(feed, name));
  const opset = opsetOf(graph);
  const find = (name: ValueId | undefined) =>
    name === undefined ? undefined : (values.get(name) ?? constants.get(name));
  try {
    for (const step of plan.steps) {
      const started = watch && performance.now();
      const outputs = runStep(step, { heap, opset, find });
      if (watch) watch(step.node, performance.now() - started!); // set where there is a watcher
      step.node.outputs.forEach((name, slot) => {
        const value = outputs[slot];
        if (name !== undefined && value) values.set(name, value);
        else if (value) releaseValue(heap, value);
      });
      for (const name of step.dying) {
        const value = values.get(name);
        if (value) releaseValue(heap, value);
        values.delete(name);
      }
    }
    const results = new Map<string, Tensor>();
    for (const name of plan.wanted) {
      const value = find(name)!; // fetched names are outputs, which checkGraph found defined
      // What is read back just now is nobody else's.
      const fresh = value.host === undefined;
      const tensor = hostOf(heap, value);
      results.set(name, fresh && !constants.has(name) ? tensor : copied(tensor));
    }
    return results;
  } finally {
    for (const value of values.values()) releaseValue(heap, value);
  }
}

/** A tensor that the caller may write to. */
const copied = (source: Tensor): Tensor => ({ ...source, data: source.data.slice() }) as Tensor; // the same dtype

interface Surroundings {
  readonly heap: Heap;
  readonly opset: number;
  readonly find: (name: ValueId | undefined) => Value | undefined;
}

function runStep({ node, dying }: Step, { heap, opset, find }: Surroundings): readonly (Value | undefined)[] {
  const inputs = node.inputs.map(find);
  const dies = (slot: number) => {
    const name = node.inputs[slot];
    return name !== undefined && dying.has(name);
  };
  try {
    if (isEvaluated(node.op) && inputs.every((value) => value === undefined || isSmall(value))) {
      const found = onHost(node, { heap, opset, inputs, maxBytes: hostBytes });
      if (found) return found;
    }
    const call: Call = { node, opset, heap, inputs, dies };
    const found = kernelOf(node.op)?.(call) ?? onHost(node, { heap, opset, inputs, maxBytes: 2 ** 31 });
    if (found) return found;
  } catch (cause) {
    if (cause instanceof EspalierError) throw cause;
    // What a full WebAssembly memory looks like.
    if (cause instanceof WebAssembly.RuntimeError || cause instanceof RangeError) throw outOfMemory(0, cause);
    throw kernelFailed(node, cause);
  }
  const types = inputs.map((value) => (value ? `${value.dtype}[${value.shape.join(',')}]` : 'none')).join(', ');
  throw unsupportedForm(node, `inputs ${types}`);
}

const isSmall = (value: Value): boolean =>
  value.host !== undefined &&
  value.plain === undefined &&
  value.last === undefined &&
  sizeOf(value.shape) <= (isFloat(value.dtype) ? smallFloats : smallIntegers);

function onHost(
  node: Node,
  { heap, opset, inputs, maxBytes }: { heap: Heap; opset: number; inputs: Call['inputs']; maxBytes: number },
): readonly Value[] | undefined {
  if (!isEvaluated(node.op)) return undefined;
  const tensors = inputs.map((value) => value && hostOf(heap, value));
  return evaluateNode(node, { inputs: tensors, opset, maxBytes })?.map((each) => hostValue(each, node.id));
}
