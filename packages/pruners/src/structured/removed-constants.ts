import {
  type AxisPort,
  floatOf,
  floats,
  type Graph,
  isFloat,
  type Node,
  sizeOf,
  toFloats,
  type ValueId,
} from '@espalier/core';
import { axisAt, evaluateNode, firstCounts, isRefusal, movementOf, nary, unary, where } from '@espalier/ops';
import { elementAt } from './element-at.js';
import { fusedActivation } from './fused-activation.js';
import { quantizedConstant } from './quantized-constant.js';
import type { Remaining } from './removal.js';

/** For a value that loses indices along exactly one axis: the constant each removed index holds, or NaN if not constant. */
export interface Constants {
  readonly axis: number;
  readonly values: Float64Array;
}

/** Per value with removed indices; values that lose indices of several axes are missing. */
export type RemovedConstants = ReadonlyMap<ValueId, Constants>;

interface Walk {
  readonly graph: Graph;
  readonly remaining: Remaining;
  readonly dead: ReadonlySet<number>;
  readonly found: Map<ValueId, Constants>;
}

const elementwise = new Set([unary, nary, firstCounts, where]);
const quantizing = new Set(['QuantizeLinear', 'DequantizeLinear']);
const pooling = new Set(['MaxPool', 'GlobalMaxPool', 'GlobalAveragePool']);

/**
 * Where a float layer with its weight in slot 1 has its units, and the slots that are added to them; undefined for
 * others, and where more than an `activation` is fused into it.
 */
function madeBy({ graph, remaining }: Walk, node: Node) {
  const layer = remaining.net.relations.layer(node);
  if (isRefusal(layer) || (layer.fused && !node.attributes.has('activation'))) return undefined;
  const { kind, bias, fused } = layer;
  const weight = layer.weights.find(({ slot }) => slot === 1);
  const result = kind === 'convolution' || kind === 'product' ? weight?.result : undefined;
  if (!weight || result === undefined || !isFloat(graph.constants.get(weight.value)!.dtype)) return undefined;
  // A fused convolution adds a value as well, in the slot after its bias.
  const added = bias === undefined ? [] : fused && kind === 'convolution' ? [bias, bias + 1] : [bias];
  return { axis: (rank: number) => axisAt(result, rank), added };
}

/**
 * Follows what masked units hold from their producers on: biases and shifts where the weights of a unit are zero in
 * the graph already (it was pruned while training, say), zero where `maskGroups` would make them zero; then through
 * norms, activations and whatever moves or combines elements. A sigmoid turns 0 into 0.5.
 */
export function removedConstants(remaining: Remaining): RemovedConstants {
  const { graph } = remaining.net;
  const walk: Walk = { graph, remaining, dead: deadUnits(remaining), found: new Map() };
  for (const node of graph.nodes) {
    const { inputs, outputs } = remaining.net.relations.site(node);
    for (const y of outputs) {
      const axis = y && changedAxis(remaining, y);
      if (!y || axis === undefined) continue;
      const values = new Float64Array(y.shape[axis]!).fill(Number.NaN);
      fill(walk, { node, inputs, y, axis, values });
      walk.found.set(y.value, { axis, values });
    }
  }
  return walk.found;
}

/** The only axis of a value that loses indices. */
export function changedAxis(remaining: Remaining, { axes }: AxisPort): number | undefined {
  const changed = axes.flatMap((axis, i) => (remaining.changed(axis) ? [i] : []));
  return changed.length === 1 ? changed[0] : undefined;
}

/** Classes of removed units whose rows of weights are all zero in the graph. */
function deadUnits({ net, removed }: Remaining): ReadonlySet<number> {
  const dead = new Set<number>();
  for (const group of net.groups) {
    const roots = net.roots.get(group)!; // every group has them
    const weights = group.slices.filter(({ value, role }) => {
      const { shape, dtype } = net.graph.constants.get(value)!; // slices are of constants
      return role === 'produces' && dtype === 'float32' && shape.filter((size) => size > 1).length > 1;
    });
    roots.forEach((root, unit) => {
      if (!removed.has(root) || weights.length === 0) return;
      const zero = weights.every(({ value, axis, indices, each }) => {
        const { data, shape } = net.graph.constants.get(value)!;
        for (let i = 0; i < each; i++) {
          if (!zeroAt(data as Float32Array, shape, { axis, index: indices[unit * each + i]! })) return false;
        }
        return true;
      });
      if (zero) dead.add(root);
    });
  }
  return dead;
}

function zeroAt(data: Float32Array, shape: readonly number[], at: { readonly axis: number; readonly index: number }) {
  const block = sizeOf(shape.slice(at.axis + 1));
  const step = block * shape[at.axis]!;
  for (let start = at.index * block; start < data.length; start += step) {
    for (let i = start; i < start + block; i++) if (data[i] !== 0) return false;
  }
  return true;
}

interface Step {
  readonly node: Node;
  readonly inputs: readonly (AxisPort | undefined)[];
  readonly y: AxisPort;
  readonly axis: number;
  readonly values: Float64Array;
}

function fill(walk: Walk, step: Step): void {
  const { node, inputs, y, axis, values } = step;
  const rootOf = (i: number) => walk.remaining.net.relations.space.find(y.axes[axis]!.start + i);
  const each = (of: (i: number, masked: boolean) => number) => {
    for (let i = 0; i < values.length; i++) {
      const root = rootOf(i);
      if (walk.remaining.removed.has(root)) values[i] = of(i, !walk.dead.has(root));
    }
  };
  const [x] = inputs;
  const before = x && walk.found.get(x.value);
  const product = madeBy(walk, node);
  if (product) {
    if (axis === product.axis(y.shape.length)) {
      each(summed(walk, step, product.added));
      fusedActivation(node, values, walk.graph.opsets.get('') ?? 0);
    }
  } else if (node.op === 'BatchNormalization' && axis === 1) {
    const [scale, shift, mean, variance] = inputs.slice(1).map((port) => port?.constant && toFloats(port.constant));
    if (!scale || !shift || !mean || !variance) return;
    const epsilon = floatOf(node, 'epsilon', 1e-5);
    each((i, masked) => {
      if (masked) return 0;
      const factor = scale[i]! / Math.sqrt(variance[i]! + epsilon);
      return factor === 0 ? shift[i]! : ((before?.values[i] ?? Number.NaN) - mean[i]!) * factor + shift[i]!;
    });
  } else if (quantizing.has(node.op)) {
    if (before) each((i) => quantizedConstant(node.op, { value: before.values[i]!, inputs, index: i }));
  } else if (pooling.has(node.op)) {
    if (before) each((i) => before.values[i]!);
  } else if (movementOf(node.op)) {
    if (x && before) moved(walk, { x, before, rootOf, each });
  } else if (node.op === 'Concat') concatenated(walk, step);
  else if (elementwise.has(walk.remaining.net.relations.ruleOf(node.op))) computed(walk, step, each);
}

/** The output of a layer whose weights are zero: nothing if it is masked, its bias if it was pruned before. */
function summed({ found }: Walk, { node, inputs }: Step, added: readonly number[]) {
  return (i: number, masked: boolean): number => {
    if (masked && !inputs[3]) return 0;
    return added.reduce((sum, slot) => {
      const port = inputs[slot];
      if (!port) return sum;
      if (!port.constant) return sum + (found.get(port.value)?.values[i] ?? Number.NaN);
      return sum + (masked ? 0 : elementAt(port, i) * floatOf(node, 'beta', 1));
    }, 0);
  };
}

type Each = (of: (i: number, masked: boolean) => number) => void;

/** Carries the constant of a class to the output; NaN if its members hold different numbers. */
function moved(
  { remaining }: Walk,
  from: {
    readonly x: AxisPort;
    readonly before: Constants;
    readonly rootOf: (i: number) => number;
    readonly each: Each;
  },
): void {
  const held = new Map<number, number>();
  const { start } = from.x.axes[from.before.axis]!;
  from.before.values.forEach((value, i) => {
    const root = remaining.net.relations.space.find(start + i);
    held.set(root, held.has(root) && held.get(root) !== value ? Number.NaN : value);
  });
  from.each((i) => held.get(from.rootOf(i)) ?? Number.NaN);
}

function concatenated(walk: Walk, { inputs, axis, values }: Step): void {
  let offset = 0;
  const sizes = inputs.map((port) => port?.shape[axis] ?? 0);
  const along = sizes.reduce((sum, size) => sum + size, 0) === values.length;
  for (const [i, port] of inputs.entries()) {
    const before = port && walk.found.get(port.value);
    if (along && before?.axis === axis) values.set(before.values, offset);
    offset += sizes[i]!;
  }
}

/** Elementwise ops are run on one number per index. */
function computed(walk: Walk, { node, inputs, y, axis, values }: Step, each: Each): void {
  const columns = inputs.map(
    (port) =>
      port && column(walk, port, { axis: axis + port.shape.length - y.shape.length, size: values.length, each }),
  );
  const opset = walk.graph.opsets.get('') ?? 0;
  const tensors = columns.map((numbers) => numbers && floats(Float32Array.from(numbers)));
  const [result] = evaluateNode(node, { inputs: tensors, opset, maxBytes: 1 << 26 }) ?? [];
  if (result?.dtype !== 'float32') return;
  const zeroes = node.op === 'Mul';
  each((i) => (zeroes && columns.some((numbers) => numbers?.[i] === 0) ? 0 : result.data[i]!));
}

/** The constant of an input at each index of an axis of the output; NaN if not constant. */
function column(
  walk: Walk,
  port: AxisPort,
  { axis, size, each }: { readonly axis: number; readonly size: number; readonly each: Each },
): Float64Array {
  const numbers = new Float64Array(size).fill(Number.NaN);
  const known = walk.found.get(port.value);
  if (known?.axis === axis) numbers.set(known.values);
  else if (port.constant && sizeOf(port.shape) === 1) numbers.fill(elementAt(port, 0));
  else if (port.constant && sizeOf(port.shape) === size && port.shape[axis] === size) {
    const keeps = walk.remaining.net.relations.role(port.value, axis) !== 'produces';
    each((i, masked) => {
      numbers[i] = masked && !keeps ? 0 : elementAt(port, i);
      return Number.NaN;
    });
  }
  return numbers;
}
