import type { Graph, Node, Tensor, ValueId } from '@espalier/core';
import { constantUses, decidingUse } from './constant-uses.js';
import type { ParameterRole } from './parameter-slots.js';

/** A trainable constant. */
export interface Parameter {
  readonly value: ValueId;
  readonly role: ParameterRole;
  readonly tensor: Tensor;
  /** The node that uses it first; others may move it before (Transpose, Expand). */
  readonly node: Node;
}

/**
 * The constants of a graph that training may move. A float constant is a parameter where a gradient of an output comes
 * back to it through one of these uses, either directly or after being moved (Transpose, Reshape, Expand, Slice, Concat
 * with other constants, Gather with constant indices, a sum of constants, a product with one number):
 *
 * - weight, bias, scale or shift of a layer (Conv, Gemm, MatMul, norms, PRelu), a table that Gather reads by computed
 *   indices, the scale of a fake-quantizer;
 * - added behind the first layer, with more than one element (or as the bias of a single unit): biases and positions,
 *   but no masks (0 and large negative numbers) and no grids of whole numbers;
 * - multiplied behind the first layer, with one axis of more than one element: scales per channel, no tables;
 * - put beside data of three axes at most: tokens.
 *
 * Everything else is not: single numbers, bounds, exponents, epsilons, running statistics, what normalises the input,
 * and tables that multiply anywhere. In the order in which nodes use them; `explainConstants` tells why not.
 */
export function parametersOf(graph: Graph): readonly Parameter[] {
  const found: Parameter[] = [];
  for (const [value, uses] of constantUses(graph)) {
    const use = decidingUse(uses);
    const role = use?.answer.role;
    if (use && role) found.push({ value, role, tensor: graph.constants.get(value)!, node: use.node }); // uses are of its constants
  }
  const place = new Map(graph.nodes.map(({ id }, i) => [id, i]));
  return found.sort((a, b) => place.get(a.node.id)! - place.get(b.node.id)!);
}
