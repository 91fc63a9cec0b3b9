import { type Graph, indexOf, type Node, tensorInfo, type ValueId } from '@espalier/core';
import { isFiniteTensor } from '../finite-tensor.js';
import { isWeighted, outputAxis } from '../weight-axis.js';
import { findTail } from './find-tail.js';
import { type ChosenKernel, kernelObstacle, kernelOf } from './kernel-of.js';
import { dataSlots, type StaticRule, staticRuleOf } from './static-rules.js';
import type { StaticSettings } from './static-settings.js';

/** A node that can be quantized, with the activation behind it that its output grid takes over. */
export interface Unit {
  readonly node: Node;
  readonly rule: StaticRule;
  readonly kernel: ChosenKernel;
  readonly tail?: Node;
  /** Slots whose activations are quantized; constants in data slots included. */
  readonly slots: readonly number[];
  /** The values that it writes, after the tail. */
  readonly outputs: readonly ValueId[];
}

/** Every node that can be quantized by itself, and why each of the others cannot. */
export interface Candidates {
  readonly units: ReadonlyMap<string, Unit>;
  readonly reasons: ReadonlyMap<string, string>;
  /** Nodes that were quantized before. */
  readonly done: ReadonlySet<string>;
}

const quantized = new Set(['QuantizeLinear', 'DequantizeLinear']);

/** Looks at each node alone: its op, its options, its weights and types. */
export function findUnits(graph: Graph, settings: StaticSettings): Candidates {
  const units = new Map<string, Unit>();
  const reasons = new Map<string, string>();
  const done = new Set<string>();
  const tails = new Set<string>();
  const outputs = new Set(graph.outputs);
  const { producer, uses } = indexOf(graph);
  const before = (node: Node) =>
    node.inputs.some((value) => value !== undefined && producer.get(value)?.op === 'DequantizeLinear') ||
    node.outputs.some(
      (value) => value !== undefined && uses.get(value)?.some((use) => use.node.op === 'QuantizeLinear'),
    );
  for (const node of graph.nodes) {
    if (quantized.has(node.op) || before(node)) {
      done.add(node.id);
      continue;
    }
    if (tails.has(node.id)) continue;
    const rule = staticRuleOf(node.op);
    const kernel = rule && kernelOf(settings.target, node, rule);
    const reason = kernel && obstacleOf(graph, node, { rule, kernel, settings });
    if (!kernel || reason !== undefined) {
      reasons.set(node.id, reason ?? noKernel(node, settings));
      continue;
    }
    const tail =
      rule.role === 'pass' || outputs.has(node.outputs[0] ?? '') ? undefined : findTail(graph, node, settings);
    if (tail) tails.add(tail.id);
    const written = (tail ?? node).outputs.filter((value) => value !== undefined);
    units.set(node.id, {
      node,
      rule,
      kernel,
      ...(tail ? { tail } : {}),
      slots: presentSlots(graph, node, rule),
      outputs: written,
    });
  }
  return { units, reasons, done };
}

// The constant of an anchor is its weight, unless it stands on the left, where kernels take an activation; that and the
// constant of a join are quantized like activations.
const presentSlots = (graph: Graph, node: Node, rule: StaticRule): readonly number[] =>
  dataSlots(node, rule).filter((slot) => {
    const value = node.inputs[slot];
    return value !== undefined && !(rule.role === 'anchor' && slot > 0 && graph.constants.has(value));
  });

interface Question {
  readonly rule: StaticRule;
  readonly kernel: ChosenKernel;
  readonly settings: StaticSettings;
}

function obstacleOf(graph: Graph, node: Node, { rule, kernel, settings }: Question): string | undefined {
  const left = settings.leftOut(node.id, node.op);
  if (left !== undefined) return left;
  const dtypes = dataSlots(node, rule).map((slot) => {
    const value = node.inputs[slot];
    return value === undefined ? undefined : tensorInfo(graph, value)?.dtype;
  });
  const strange = dtypes.find((dtype) => dtype !== undefined && dtype !== 'float32');
  if (strange !== undefined) return `its input is ${strange}, not float32`;
  const weights = rule.role === 'anchor' ? weightObstacle(graph, node, dtypes) : undefined;
  const operands = rule.role === 'join' ? dataSlots(node, rule) : [];
  if (operands.some((slot) => !isFiniteOperand(graph, node.inputs[slot]))) return 'a constant operand is not finite';
  return weights ?? kernelObstacle(kernel, rule, [node, graph]);
}

function isFiniteOperand(graph: Graph, value: ValueId | undefined): boolean {
  const constant = graph.constants.get(value ?? '');
  return constant === undefined || isFiniteTensor(constant);
}

function weightObstacle(graph: Graph, node: Node, dtypes: readonly (string | undefined)[]): string | undefined {
  const weight = graph.constants.get(node.inputs[1] ?? '');
  if (node.op === 'MatMul' && !weight) {
    const left = graph.constants.get(node.inputs[0] ?? '');
    if (left && !isFiniteTensor(left)) return 'its weights hold NaN or infinity';
    return dtypes.includes(undefined) ? 'the types of its inputs are unknown' : undefined;
  }
  if (!weight) return 'its weights are computed at run time';
  if (weight.dtype !== 'float32') return `its weights are ${weight.dtype}, not float32`;
  if (weight.shape.length < 2 || weight.data.length === 0) return 'its weights are not a matrix';
  if (!isFiniteTensor(weight)) return 'its weights hold NaN or infinity';
  const bias = node.inputs[2];
  if (bias === undefined) return undefined;
  const constant = graph.constants.get(bias);
  if (!constant) return 'its bias is computed at run time';
  if (constant.dtype !== 'float32') return `its bias is ${constant.dtype}, not float32`;
  if (!isFiniteTensor(constant)) return 'its bias holds NaN or infinity';
  const channels = isWeighted(node.op) ? weight.shape[outputAxis(graph, node)] : 0;
  const fits = constant.data.length === channels || (node.op === 'Gemm' && constant.data.length === 1);
  return fits ? undefined : 'its bias differs from row to row';
}

const insideDynamic = 'calibration measures nothing inside of it: its layers find their ranges at run time';
const spelled: Readonly<Record<string, string>> = {
  LSTM: 'static quantization leaves recurrent layers float (the dynamic quantizer takes them)',
  GRU: 'static quantization leaves recurrent layers float',
  RNN: 'static quantization leaves recurrent layers float',
  If: insideDynamic,
  Loop: insideDynamic,
  Scan: insideDynamic,
};

const noKernel = ({ op }: Node, { target }: StaticSettings): string =>
  spelled[op] ??
  (op.includes('::') ? 'a custom op is passed through' : `${target.name} has no fused integer kernel for ${op}`);
