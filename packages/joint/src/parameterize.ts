import {
  createNode,
  type Draft,
  editGraph,
  floats,
  type Graph,
  int,
  intOf,
  type Node,
  sizeOf,
  type Tensor,
  textOf,
  toFloats,
  type ValueId,
} from '@espalier/core';
import { inferShapes } from '@espalier/ops';
import { gridOf } from '@espalier/passes';
import { stepFor } from './width.js';

/** Where the quantizers begin. */
export interface ParameterizeOptions {
  /** The width in bits that quantizers begin with. */
  readonly bits: { readonly weights: number; readonly activations: number };
  /** Whether activations are quantized. */
  readonly activations: boolean;
  /** Whether weights learn an exponent. Activations have none, for no runtime computes one. */
  readonly exponent: boolean;
}

/**
 * Turns the learned fake-quantizers of a graph into parameterized ones, whose limits are learned too and whose widths
 * follow. The limit is max |w| of a weight, of each channel where scales are per channel, and 1.05 times the largest
 * magnitude on the grid of an activation. The exponent is 1, and the step follows from the width. Quantizers whose scale
 * is not learned stay as they are.
 */
export function parameterize(graph: Graph, options: ParameterizeOptions): Graph {
  const draft = editGraph(graph);
  for (const node of graph.nodes) {
    if (node.op !== 'espalier::FakeQuantize') continue;
    const learned = intOf(node, 'learned', 1) === 1;
    if (textOf(node, 'role', 'weight') === 'weight') {
      if (learned) draft.replace(node.id, weightQuantizer(graph, draft, { node, options }));
    } else if (!options.activations) {
      draft.replace(node.id);
      draft.redirect(node.outputs[0]!, node.inputs[0]!); // a quantizer has both
    } else if (learned) draft.replace(node.id, activationQuantizer(graph, draft, { node, options }));
  }
  return inferShapes(draft.finish());
}

interface Turning {
  readonly node: Node;
  readonly options: ParameterizeOptions;
}

function weightQuantizer(graph: Graph, draft: Draft, { node, options: { bits, exponent } }: Turning): Node {
  const [value, scale] = node.inputs as readonly [ValueId, ValueId];
  const { shape } = graph.constants.get(scale)!; // `learned` puts constants there
  const weight = graph.constants.get(value)!;
  const given = intOf(node, 'axis', 1);
  const axis = shape.length === 0 ? undefined : given < 0 ? given + weight.shape.length : given;
  const limits = limitsOf(weight, axis);
  const steps = limits.map((limit) => stepFor(bits.weights, { limit }));
  const ones = limits.map(() => 1);
  return createNode({
    id: node.id,
    op: 'espalier::ParameterizedQuantize',
    inputs: [
      value,
      draft.constant(`${value}_step`, floats(steps, shape)),
      draft.constant(`${value}_limit`, floats(limits, shape)),
      ...(exponent ? [draft.constant(`${value}_exponent`, floats(ones, shape))] : []),
    ],
    outputs: node.outputs,
    attributes: { axis: int(axis ?? 0) },
  });
}

/** Largest magnitudes, of the whole or of each index of an axis; those of nothing but zeros count as 1e-3. */
function limitsOf(tensor: Tensor, axis: number | undefined): Float32Array {
  const values = toFloats(tensor);
  const size = axis === undefined ? 1 : tensor.shape[axis]!;
  const inner = axis === undefined ? values.length : sizeOf(tensor.shape.slice(axis + 1));
  const limits = new Float32Array(size);
  for (let i = 0; i < values.length; i++) {
    const at = Math.floor(i / inner) % size;
    limits[at] = Math.max(limits[at]!, Math.abs(values[i]!));
  }
  return limits.map((limit) => (limit > 0 ? limit : 1e-3));
}

const headroom = 1.05;

function activationQuantizer(graph: Graph, draft: Draft, { node, options: { bits } }: Turning): Node {
  const [value, scale, zero] = node.inputs as readonly [ValueId, ValueId, ValueId | undefined];
  const number = (name: ValueId | undefined) => Number(graph.constants.get(name ?? '')?.data[0] ?? 0);
  const { low, high } = gridOf(node);
  const [below, above] = [(number(zero) - low) * number(scale), (high - number(zero)) * number(scale)];
  const signed = below > 0;
  const limit = Math.fround(headroom * Math.max(below, above));
  const step = stepFor(bits.activations, { limit, signed });
  return createNode({
    id: node.id,
    op: 'espalier::ParameterizedQuantize',
    inputs: [
      value,
      draft.constant(`${value}_step`, floats([step], [])),
      draft.constant(`${value}_limit`, floats([limit], [])),
    ],
    outputs: node.outputs,
    attributes: { signed: int(Number(signed)) },
  });
}
