import { EspalierError, type Graph, type Node, opsetOf, type Tensor, type ValueId } from '@espalier/core';
import { evaluateNode, isEvaluated } from '@espalier/ops';
import { carriedValue, lentValue } from './carried-value.js';
import { kernelFailed, outOfMemory, unsupportedForm } from './errors.js';
import type { Heap } from './heap.js';
import { isSmall } from './is-small.js';
import type { Call } from './kernel.js';
import { kernelOf } from './kernel-of.js';
import type { Plan, Step } from './plan.js';
import type { RunResults } from './session-shell.js';
import { hostOf, hostValue, releaseValue, type Value } from './value.js';

/** The data of a run. */
export interface Run {
  readonly heap: Heap;
  readonly graph: Graph;
  readonly plan: Plan;
  readonly constants: ReadonlyMap<ValueId, Value>;
  /** Inputs from the run before; they stay as they are. */
  readonly carried?: ReadonlyMap<ValueId, Value>;
  /** Wanted outputs to be read back, all when left out. */
  readonly fetched?: readonly ValueId[];
  /** Wanted outputs to be kept in memory, none when left out. */
  readonly kept?: readonly ValueId[];
  /** Told how long each node took; for profiles. */
  readonly watch?: (node: Node, milliseconds: number) => void;
}

// Small arrays that are on the host anyway are computed there, up to results of this size.
const hostBytes = 2 ** 20;

/** Runs the steps in order and reads the fetched values back. Everything else but the kept ones is freed, also after a failure. */
export function runPlan(run: Run, feeds: ReadonlyMap<string, Tensor>): RunResults<Value> {
  const { heap, graph, plan, constants, watch } = run;
  const values = new Map<ValueId, Value>();
  for (const [name, feed] of feeds) values.set(name, hostValue(feed, name));
  for (const [name, value] of run.carried ?? []) values.set(name, lentValue(value));
  const opset = opsetOf(graph);
  const find = (name: ValueId | undefined) =>
    name === undefined ? undefined : (values.get(name) ?? constants.get(name));
  const kept = new Map<ValueId, Value>();
  try {
    for (const step of plan.steps) {
      const started = watch && performance.now();
      const outputs = runStep(step, { heap, opset, find });
      if (watch) watch(step.node, performance.now() - started!); // set where there is a watcher
      settle(step, outputs, { heap, values });
    }
    // Fetched names and kept ones are outputs, which checkGraph found defined.
    for (const name of run.kept ?? []) kept.set(name, carriedValue(heap, find(name)!));
    const fetched = new Map<string, Tensor>();
    for (const name of run.fetched ?? plan.wanted) {
      const value = find(name)!;
      // What is read back just now is nobody else's.
      const fresh = value.host === undefined;
      const tensor = hostOf(heap, value);
      fetched.set(name, fresh && !constants.has(name) ? tensor : copied(tensor));
    }
    return { fetched, kept };
  } catch (cause) {
    for (const value of kept.values()) releaseValue(heap, value);
    throw cause;
  } finally {
    for (const value of values.values()) releaseValue(heap, value);
  }
}

/** Puts the outputs of a step where the next ones find them, and frees what nothing needs after it. */
function settle(
  { node, dying }: Step,
  outputs: readonly (Value | undefined)[],
  { heap, values }: { readonly heap: Heap; readonly values: Map<ValueId, Value> },
): void {
  node.outputs.forEach((name, slot) => {
    const value = outputs[slot];
    if (name !== undefined && value) values.set(name, value);
    else if (value) releaseValue(heap, value);
  });
  for (const name of dying) {
    const value = values.get(name);
    if (value) releaseValue(heap, value);
    values.delete(name);
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
    if (isEvaluated(node.op) && inputs.every((value) => value === undefined || isSmallOnHost(value))) {
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

const isSmallOnHost = (value: Value): boolean =>
  value.host !== undefined && value.plain === undefined && value.last === undefined && isSmall(value);

function onHost(
  node: Node,
  { heap, opset, inputs, maxBytes }: { heap: Heap; opset: number; inputs: Call['inputs']; maxBytes: number },
): readonly Value[] | undefined {
  if (!isEvaluated(node.op)) return undefined;
  const tensors = inputs.map((value) => value && hostOf(heap, value));
  return evaluateNode(node, { inputs: tensors, opset, maxBytes })?.map((each) => hostValue(each, node.id));
}
