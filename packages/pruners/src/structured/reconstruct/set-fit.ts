import {
  editGraph,
  fromNumbers,
  type Graph,
  type Node,
  sizeOf,
  type Tensor,
  toNumbers,
  usesOf,
  type ValueId,
} from '@espalier/core';
import type { Consumer } from './consumer.js';

/** Fitted weights of one layer, group after group, and what its outputs get besides. */
export interface LayerFit {
  readonly consumer: Consumer;
  /** Row-major [rows, size] for each group. */
  readonly weights: readonly Float64Array[];
  readonly bias: readonly number[];
}

/** The weights of one group as rows. */
export function weightRows({ rows, size, stride }: Consumer, tensor: Tensor, group: number): Float64Array {
  const data = tensor.dtype === 'float32' ? tensor.data : toNumbers(tensor);
  const out = new Float64Array(rows * size);
  for (let r = 0; r < rows; r++) {
    const from = (group * rows + r) * stride.row;
    for (let c = 0; c < size; c++) out[r * size + c] = data[from + c * stride.column]!;
  }
  return out;
}

/** The graph with the fitted weights and biases of some layers. */
export function setFits(graph: Graph, fits: readonly LayerFit[]): Graph {
  const draft = editGraph(graph);
  for (const { consumer, weights, bias } of fits) {
    const { node, rows, size, stride } = consumer;
    const { dtype, shape } = graph.constants.get(consumer.weight)!; // as it was found
    const numbers = new Float64Array(sizeOf(shape));
    for (const [group, weight] of weights.entries()) {
      for (let r = 0; r < rows; r++) {
        const to = (group * rows + r) * stride.row;
        for (let c = 0; c < size; c++) numbers[to + c * stride.column] = weight[r * size + c]!;
      }
    }
    draft.setConstant(consumer.weight, fromNumbers(dtype, shape, numbers));
    const constant = (values: readonly number[], dims: readonly number[] = [values.length]): ValueId => {
      const value = draft.fresh(`${node.id}_fitted_bias`);
      draft.setConstant(value, fromNumbers(dtype, dims, values));
      return value;
    };
    if (node.op !== 'MatMul') {
      draft.replace(node.id, { ...node, inputs: [node.inputs[0], node.inputs[1], constant(bias)] });
      continue;
    }
    const left = node.inputs[0] === consumer.weight;
    const dims = left ? [bias.length, 1] : [bias.length];
    const next = left ? undefined : addAfter(graph, node, bias.length);
    if (next) {
      // An addition that the cut put there makes up for the same: it is replaced.
      const absorbed = next.node.outputs[0] === consumer.target;
      const before = absorbed ? [] : toNumbers(graph.constants.get(next.node.inputs[next.slot]!)!);
      const sum = bias.map((value, i) => value + (before[i] ?? 0));
      const inputs = next.node.inputs.map((value, slot) => (slot === next.slot ? constant(sum) : value));
      draft.replace(next.node.id, { ...next.node, inputs });
    } else {
      const raw = draft.fresh(`${node.outputs[0]}_product`);
      const inputs = [raw, constant(bias, dims)];
      const add: Node = {
        id: draft.fresh(`${node.id}_fitted`),
        op: 'Add',
        inputs,
        outputs: node.outputs,
        attributes: new Map(),
      };
      draft.replace(node.id, { ...node, outputs: [raw] }, add);
    }
  }
  return draft.finish();
}

/** The only reader of a product, where it adds one number to each column. */
function addAfter(
  graph: Graph,
  node: Node,
  columns: number,
): { readonly node: Node; readonly slot: number } | undefined {
  const product = node.outputs[0]!; // MatMul has one
  const [use, ...others] = usesOf(graph, product);
  if (use?.node.op !== 'Add' || use.slot < 0 || others.length > 0 || graph.outputs.includes(product)) return undefined;
  const slot = 1 - use.slot;
  const constant = graph.constants.get(use.node.inputs[slot]!);
  if (constant?.shape.length !== 1 || constant.shape[0] !== columns) return undefined;
  return { node: use.node, slot };
}
