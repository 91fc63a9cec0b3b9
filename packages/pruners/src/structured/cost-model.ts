import {
  type Axis,
  type AxisPort,
  type AxisRules,
  bitsOf,
  byteLength,
  type Graph,
  type Node,
  sizeOf,
  subgraphsOf,
  type ValueId,
} from '@espalier/core';
import { branchMacs, constantOwners, parametersOf, productsOf, runsBodies } from '@espalier/ops';
import type { CoupledGraph } from './coupled.js';

/** The cost of a graph, as `costsOf` counts it. */
export interface Cost {
  readonly parameters: number;
  readonly bytes: number;
  readonly macs: number;
}

/** The cost of a graph after removing so many units of each group (by id). */
export type CostModel = (removed: ReadonlyMap<string, number>) => Cost;

/** A product of sizes: `factor` times what is left of each axis. */
interface Term {
  readonly kind: keyof Cost;
  readonly factor: number;
  readonly axes: readonly (readonly [size: number, loss: readonly (readonly [group: number, each: number])[]])[];
}

/**
 * Prepares the exact cost of any cut from shapes alone. Nothing removed, it is what `costsOf` says of the same graph.
 * MACs use placeholder sizes for symbolic dimensions (batch = 2); only their ratios are meaningful.
 */
export function costModel(net: CoupledGraph): CostModel {
  const terms = termsOf(net);
  return (removed) => {
    const counts = Float64Array.from(net.groups, ({ id }) => removed.get(id) ?? 0);
    const sums = { parameters: 0, bytes: 0, macs: 0 };
    for (const { kind, factor, axes } of terms) {
      let product = factor;
      for (const [size, loss] of axes) {
        let left = size;
        for (const [group, each] of loss) left -= each * counts[group]!;
        product *= left;
      }
      sums[kind] += kind === 'bytes' ? Math.ceil(product) : product; // codes of few bits fill up their last byte
    }
    return sums;
  };
}

function termsOf({ graph, groups, relations, roots, rules }: CoupledGraph): readonly Term[] {
  const { space, ports, site, ruleOf } = relations;
  const groupOf = new Map<number, number>();
  groups.forEach((group, number) => {
    for (const root of roots.get(group) ?? []) groupOf.set(root, number);
  });
  const losses = new Map<number, Term['axes'][number]>();
  const lossOf = ({ start, size }: Axis): Term['axes'][number] => {
    const known = size > 0 ? losses.get(start) : undefined;
    if (known) return known;
    const counts = new Map<number, number>();
    for (let i = 0; i < size; i++) {
      const group = groupOf.get(space.find(start + i));
      if (group !== undefined) counts.set(group, (counts.get(group) ?? 0) + 1);
    }
    const loss = [...counts].map(([group, count]) => [group, count / groups[group]!.units] as const);
    if (size > 0) losses.set(start, [size, loss]); // an axis of size 0 begins where the next one does
    return [size, loss];
  };
  const term = (kind: keyof Cost, factor: number, axes: readonly Axis[]): Term => {
    const all = axes.map(lossOf);
    const fixed = all.filter(([, loss]) => loss.length === 0).map(([size]) => size);
    return { kind, factor: factor * sizeOf(fixed), axes: all.filter(([, loss]) => loss.length > 0) };
  };
  const terms: Term[] = [];
  for (const [value, tensor] of graph.constants) {
    const port = ports.get(value);
    const [parameters, bytes, bits] = [parametersOf(graph, value), byteLength(tensor), bitsOf(tensor.dtype)];
    const cuttable = port !== undefined && bits > 0 && sizeOf(port.shape) > 0;
    const axes = cuttable ? port.axes : [];
    const elements = cuttable ? sizeOf(port.shape) : 1;
    terms.push(term('parameters', parameters / elements, axes), term('bytes', cuttable ? bits / 8 : bytes, axes));
  }
  const { fixed } = constantOwners(graph);
  for (const node of graph.nodes) {
    if (runsBodies(graph, node)) terms.push(...bodyTerms(withSizes(graph, ports), node, rules));
    // Work on constants alone is done once, when the model is loaded.
    if (node.outputs.every((value) => value === undefined || fixed.has(value))) continue;
    for (const { factor, axes } of productsOf(site(node), ruleOf(node.op)) ?? [])
      terms.push(term('macs', factor, axes));
  }
  return terms;
}

/** The graph with the stand-ins for sizes that have a name, as its bodies see them. */
const withSizes = (graph: Graph, ports: ReadonlyMap<ValueId, AxisPort>): Graph => ({
  ...graph,
  values: new Map(
    [...graph.values].map(([value, info]) => {
      const shape = ports.get(value)?.shape;
      return [value, shape ? { ...info, shape } : info];
    }),
  ),
});

/** The weights and products in the bodies of a node: nothing in them is cut. */
function bodyTerms(graph: Graph, node: Node, rules: AxisRules | undefined): readonly Term[] {
  const fixed = (kind: keyof Cost, factor: number): Term => ({ kind, factor, axes: [] });
  const heldBy = (body: Graph): readonly Term[] => [
    ...[...body.constants].flatMap(([value, tensor]) => [
      fixed('parameters', parametersOf(body, value)),
      fixed('bytes', byteLength(tensor)),
    ]),
    ...body.nodes.flatMap(subgraphsOf).flatMap(heldBy),
  ];
  return [fixed('macs', branchMacs(graph, node, rules) ?? 0), ...subgraphsOf(node).flatMap(heldBy)];
}
