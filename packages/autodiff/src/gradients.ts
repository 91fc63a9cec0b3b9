import {
  buildGraph,
  floats,
  type Graph,
  type GraphBuilder,
  longs,
  type Node,
  problem,
  type ValueId,
} from '@espalier/core';
import { inferShapes } from '@espalier/ops';
import { createContext } from './create-context.js';
import { derivativeOf } from './derivative-of.js';
import { notDifferentiable } from './errors.js';
import { inCurrentOpset } from './training-form.js';

/** The graph with gradients appended, and the value that holds each. */
export interface Gradients {
  readonly graph: Graph;
  /** By the value differentiated to. */
  readonly gradients: ReadonlyMap<ValueId, ValueId>;
}

/**
 * Reverse-mode differentiation as a graph-to-graph function: appends the nodes that compute the gradient of a scalar
 * with respect to given values. The graph is unchanged otherwise, but written in opset 18 where it was older and with
 * shapes inferred; outputs are not added. Values that the loss does not
 * depend on get zeros.
 * @throws AUTODIFF_OP for an op without a derivative in between, AUTODIFF_SHAPE, AUTODIFF_FORM, AUTODIFF_LOSS.
 */
export function gradients(graph: Graph, loss: ValueId, wrt: readonly ValueId[]): Gradients {
  const typed = inferShapes(inCurrentOpset(graph));
  const shape = typed.values.get(loss)?.shape;
  if (!shape || shape.length > 0) {
    throw problem('AUTODIFF_LOSS', {
      where: `value "${loss}"`,
      expected: 'a scalar, shape []',
      found: shape ? `shape [${shape.join(',')}]` : 'an unknown shape',
      fix: 'Reduce it to one number, such as the mean over the batch.',
    });
  }
  const b = buildGraph(typed);
  const depends = downstream(typed.nodes, new Set(wrt));
  const sums = createSums(b);
  sums.add(loss, b.constant('gradient_seed', floats([1], [])));
  const context = createContext(typed, b);
  for (const node of [...typed.nodes].reverse()) {
    const reached = node.outputs.some((value) => value !== undefined && sums.get(value) !== undefined);
    if (!reached || !node.inputs.some((value) => value !== undefined && depends.has(value))) continue;
    const answer = derivativeOf(node.op);
    if (answer.rule === 'flat') continue;
    if (!answer.rule) throw notDifferentiable(node, answer.reason);
    const found = answer.rule(context(node, { gradientOf: sums.get, wants: (value) => depends.has(value) }));
    found.forEach((gradient, slot) => {
      const value = node.inputs[slot];
      if (value !== undefined && gradient !== undefined && depends.has(value)) sums.add(value, gradient);
    });
  }
  const result = new Map(wrt.map((value) => [value, sums.get(value) ?? zerosLike(typed, b, value)]));
  const opsets = new Map(typed.opsets).set('espalier', 1); // rules may emit ops of this domain
  return { graph: inferShapes({ ...b.finish(), opsets }), gradients: result };
}

/** Values that depend on any of the given ones, themselves included. */
function downstream(nodes: readonly Node[], from: ReadonlySet<ValueId>): ReadonlySet<ValueId> {
  const reached = new Set(from);
  for (const node of nodes) {
    if (derivativeOf(node.op).rule === 'flat') continue;
    if (!node.inputs.some((value) => value !== undefined && reached.has(value))) continue;
    for (const output of node.outputs) if (output !== undefined) reached.add(output);
  }
  return reached;
}

interface Sums {
  add(value: ValueId, gradient: ValueId): void;
  /** The sum of all gradients that reached a value. */
  readonly get: (value: ValueId) => ValueId | undefined;
}

/** A value that is read several times gets the sum of the gradients, added when it is asked for. */
function createSums(b: GraphBuilder): Sums {
  const parts = new Map<ValueId, ValueId[]>();
  return {
    add(value, gradient) {
      const list = parts.get(value);
      if (list) list.push(gradient);
      else parts.set(value, [gradient]);
    },
    get(value) {
      const list = parts.get(value);
      if (!list) return undefined;
      while (list.length > 1) list.push(b.add('Add', [list.shift(), list.shift()], { name: 'gradient' }));
      return list[0];
    },
  };
}

function zerosLike(graph: Graph, b: GraphBuilder, value: ValueId): ValueId {
  const constant = graph.constants.get(value);
  const zero = b.constant('zero', floats([0], []));
  const shape = constant ? b.constant('shape', longs(constant.shape)) : b.add('Shape', [value]);
  return b.add('Expand', [zero, shape], { name: 'gradient' });
}
