import { type AxisRules, type Graph, inSight, type Node, tensorInfo } from '@espalier/core';
import { constantOwners } from '../constant-owners.js';
import { loneSite } from './lone-site.js';
import { bodiesOf, contradicts, type InfoOf, runsBodies } from './node-bodies.js';
import { multiplyAdds, productsOf } from './products-of.js';

/**
 * The multiply-adds of the bodies of a node, whose axes nothing cuts: If takes the costlier branch that its sizes
 * allow, Loop and Scan multiply by their rounds, a call counts its function. Undefined where they cannot be counted.
 */
export function branchMacs(sight: Graph, node: Node, rules?: AxisRules): number | undefined {
  const infoOf: InfoOf = (value) => tensorInfo(sight, value);
  const bodies = bodiesOf(sight, node, infoOf);
  const counts = bodies.flatMap(({ graph, called, times }) => {
    const count = bodyMacs(called ? graph : inSight(graph, sight), graph, rules);
    if (count === undefined && node.op === 'If' && contradicts(graph, sight)) return [];
    const known = count === 0 ? 0 : times === undefined || count === undefined ? undefined : times * count;
    return [known];
  });
  const known = counts.filter((count) => count !== undefined);
  return known.length === counts.length ? Math.max(0, ...known) : undefined;
}

function bodyMacs(sight: Graph, body: Graph, rules: AxisRules | undefined): number | undefined {
  const shapeOf = (value: string) => {
    const shape = tensorInfo(sight, value)?.shape;
    return shape?.every((dim) => typeof dim === 'number') ? (shape as readonly number[]) : undefined; // just checked
  };
  const { fixed } = constantOwners(body);
  let sum = 0;
  for (const node of body.nodes) {
    const own = () => {
      if (runsBodies(sight, node)) return branchMacs(sight, node, rules);
      if (node.outputs.every((value) => value === undefined || fixed.has(value))) return 0;
      const products = productsOf(loneSite(sight, node, shapeOf), rules?.get(node.op));
      return products && multiplyAdds(products);
    };
    const count = own();
    if (count === undefined) return undefined;
    sum += count;
  }
  return sum;
}
