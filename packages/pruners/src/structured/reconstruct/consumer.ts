import { floatOf, type Graph, indexOf, isFloat, type Node, sizeOf, usesOf, type ValueId } from '@espalier/core';
import { axisAt, type LayerWeight, stridesOf, weightIn } from '@espalier/ops';
import type { Remaining } from '../removal.js';

/** A layer that sums over an axis that lost indices, and how its weight is laid out. */
export interface Consumer {
  readonly node: Node;
  /** The value whose output is wanted, before the cut. */
  readonly target: ValueId;
  readonly weight: ValueId;
  readonly groups: number;
  /** Of one group: rows of the weight, and numbers in each. */
  readonly rows: number;
  readonly size: number;
  /** Numbers from one row to the next, and from one column to the next. */
  readonly stride: { readonly row: number; readonly column: number };
  /** For each group, which of its outputs before the cut are left. */
  readonly outputs: readonly (readonly number[])[];
}

/** A layer that cannot be fitted, and why. */
export interface Unfitted {
  readonly node: Node;
  readonly reason: string;
}

/** The graphs that `consumerOf` reads. */
export interface CutGraphs {
  readonly before: Graph;
  readonly after: Graph;
  readonly remaining: Remaining;
  /** Most numbers that a row may have. */
  readonly maximumInputs: number;
}

/** Ops whose rows of inputs calibration can list. */
const layers = new Set(['Conv', 'Gemm', 'MatMul']);

/** A node as a consumer of what was removed; why it cannot be fitted; or undefined where it sums over nothing that went. */
export function consumerOf(graphs: CutGraphs, node: Node): Consumer | Unfitted | undefined {
  const { before, after, remaining } = graphs;
  const old = indexOf(before).node.get(node.id);
  const slot = old && summedSlot(graphs, old);
  if (slot === undefined || !old) return undefined;
  const weight = node.inputs[slot]!; // a cut keeps its weights
  const tensor = after.constants.get(weight)!;
  const why = (reason: string): Unfitted => ({ node, reason });
  if (!layers.has(node.op)) return why(`the inputs of ${node.op} are not listed by calibration`);
  if (usesOf(after, weight).length > 1 || after.outputs.includes(weight)) return why('its weight is shared');
  if (!isFloat(tensor.dtype)) return why(`its weight is ${tensor.dtype}`);
  if (node.op === 'Gemm' && (slot === 0 || floatOf(node, 'alpha', 1) !== 1 || floatOf(node, 'beta', 1) !== 1)) {
    return why('it scales its product, or its weight stands on the left');
  }
  if (node.op === 'MatMul' && tensor.shape.length !== 2) return why('it multiplies by a stack of matrices');
  const operand = weightIn(after, { node, slot });
  if (!operand) return why('its weight does not fit it');
  const layout = layoutOf(operand, tensor.shape);
  if (layout.size > graphs.maximumInputs) {
    return why(`it sums over ${layout.size} inputs, more than ${graphs.maximumInputs}`);
  }
  const y = remaining.net.relations.site(old).outputs[0]!; // related before the cut
  const axis = axisAt(operand.result!, y.axes.length); // convolutions and products of matrices say so
  const kept = remaining.indices(y.axes[axis]!);
  const perGroup = y.shape[axis]! / layout.groups;
  const outputs = Array.from({ length: layout.groups }, (_, group) =>
    kept.filter((i) => Math.floor(i / perGroup) === group).map((i) => i - group * perGroup),
  );
  return { node, target: old.outputs[0]!, weight, ...layout, outputs };
}

/** The slot of a constant that loses indices of an axis that its reader sums over. */
function summedSlot({ before, remaining }: CutGraphs, old: Node): number | undefined {
  const { ports, role } = remaining.net.relations;
  const slot = old.inputs.findIndex((value) => {
    if (value === undefined || !before.constants.has(value)) return false;
    const { axes = [] } = ports.get(value) ?? {};
    return axes.some((axis, i) => role(value, i) === 'sums' && remaining.changed(axis));
  });
  return slot < 0 ? undefined : slot;
}

function layoutOf(
  { groups, outputs, sums, inner }: LayerWeight,
  shape: readonly number[],
): Pick<Consumer, 'groups' | 'rows' | 'size' | 'stride'> {
  const row = outputs[0]!; // layers that calibration lists have one
  const columns = [...sums, ...inner];
  const strides = stridesOf(shape);
  return {
    groups,
    rows: shape[row]! / groups,
    size: sizeOf(columns.map((axis) => shape[axis]!)),
    stride: { row: strides[row]!, column: strides[columns.at(-1)!]! },
  };
}
