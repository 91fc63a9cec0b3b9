import { type AxisRules, type Graph, type Node, staticShape, subgraphsOf } from '@espalier/core';
import { constantOwners } from '../constant-owners.js';
import { loneSite, type ShapeOf } from './lone-site.js';
import { multiplyAdds, productsOf } from './products-of.js';

/**
 * The multiply-adds of the bodies of a node, whose axes nothing cuts: If takes the costlier branch; how often Loop and
 * Scan run only the data tells. Undefined where they cannot be counted.
 */
export function branchMacs(node: Node, outer: ShapeOf, rules?: AxisRules): number | undefined {
  const counts = subgraphsOf(node).map((body) => bodyMacs(body, outer, rules));
  if (counts.every((count) => count === 0)) return 0;
  const known = counts.filter((count) => count !== undefined);
  return node.op === 'If' && known.length === counts.length ? Math.max(...known) : undefined;
}

function bodyMacs(body: Graph, outer: ShapeOf, rules: AxisRules | undefined): number | undefined {
  const shapeOf: ShapeOf = (value) => staticShape(body, value) ?? outer(value);
  const { fixed } = constantOwners(body);
  let sum = 0;
  for (const node of body.nodes) {
    const own = () => {
      if (subgraphsOf(node).length > 0) return branchMacs(node, shapeOf, rules);
      if (node.outputs.every((value) => value === undefined || fixed.has(value))) return 0;
      const products = productsOf(loneSite(body, node, shapeOf), rules?.get(node.op));
      return products && multiplyAdds(products);
    };
    const count = own();
    if (count === undefined) return undefined;
    sum += count;
  }
  return sum;
}
