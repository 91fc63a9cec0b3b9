import { bitsOf, type Graph, intOf, isFloat, sizeOf } from '@espalier/core';
import type { Axis } from './axis-space.js';
import type { GroupOptions } from './group.js';
import { type Found, findGroups } from './groups-of.js';

/** What a graph costs. `macs` count multiply-adds of convolutions, matrix products and recurrent layers. */
export interface Cost {
  readonly parameters: number;
  readonly bytes: number;
  readonly macs: number;
}

/** What a graph costs once so many units of each group (by id) are gone. */
export type CostModel = (removed: ReadonlyMap<string, number>) => Cost;

/** A product of sizes: `factor` times what is left of each axis. */
interface Term {
  readonly kind: keyof Cost;
  readonly factor: number;
  readonly axes: readonly (readonly [size: number, loss: readonly (readonly [group: number, each: number])[]])[];
}

/**
 * Prepares the exact cost of any cut from shapes alone, without weights: parameters are elements of float constants,
 * bytes what they take, MACs with the stand-ins for named sizes (a batch of 2), so that their ratios are meant.
 */
export function costModel(graph: Graph, options: GroupOptions = {}): CostModel {
  const found = findGroups(graph, options);
  const terms = termsOf(graph, found);
  return (removed) => {
    const counts = Float64Array.from(found.groups, ({ id }) => removed.get(id) ?? 0);
    const sums = { parameters: 0, bytes: 0, macs: 0 };
    for (const { kind, factor, axes } of terms) {
      let product = factor;
      for (const [size, loss] of axes) {
        let left = size;
        for (const [group, each] of loss) left -= each * counts[group]!;
        product *= left;
      }
      sums[kind] += product;
    }
    return sums;
  };
}

function termsOf(graph: Graph, found: Found): readonly Term[] {
  const { groups } = found;
  const { space, ports, site } = found.relations;
  const groupOf = new Map<number, number>();
  groups.forEach((group, number) => {
    for (const root of found.roots.get(group) ?? []) groupOf.set(root, number);
  });
  const losses = new Map<number, Term['axes'][number]>();
  const lossOf = ({ start, size }: Axis): Term['axes'][number] => {
    const known = losses.get(start);
    if (known) return known;
    const counts = new Map<number, number>();
    for (let i = 0; i < size; i++) {
      const group = groupOf.get(space.find(start + i));
      if (group !== undefined) counts.set(group, (counts.get(group) ?? 0) + 1);
    }
    const loss = [...counts].map(([group, count]) => [group, count / groups[group]!.units] as const);
    losses.set(start, [size, loss]);
    return [size, loss];
  };
  const term = (kind: keyof Cost, factor: number, axes: readonly Axis[]): Term => {
    const all = axes.map(lossOf);
    const fixed = all.filter(([, loss]) => loss.length === 0).map(([size]) => size);
    return { kind, factor: factor * sizeOf(fixed), axes: all.filter(([, loss]) => loss.length > 0) };
  };
  const terms: Term[] = [];
  for (const [value, { dtype, shape }] of graph.constants) {
    if (!isFloat(dtype) || shape.length === 0) continue;
    const axes = ports.get(value)?.axes ?? [];
    terms.push(term('parameters', 1, axes), term('bytes', bitsOf(dtype) / 8, axes));
  }
  for (const node of graph.nodes) {
    const counted = multiplications(site(node));
    if (counted) terms.push(term('macs', counted.factor, counted.axes));
  }
  return terms;
}

/** The axes whose product of sizes is the number of multiply-adds. */
export function multiplications({
  node,
  inputs,
  outputs,
}: ReturnType<Found['relations']['site']>): { readonly factor: number; readonly axes: readonly Axis[] } | undefined {
  const [a, b, c] = inputs;
  const y = outputs[0];
  if (!a || !b) return undefined;
  switch (node.op) {
    case 'Conv':
    case 'com.microsoft::FusedConv':
      return y && { factor: a.shape[0]! * sizeOf(y.shape.slice(2)), axes: b.axes };
    case 'ConvTranspose':
      return { factor: a.shape[0]! * sizeOf(a.shape.slice(2)), axes: b.axes };
    case 'Gemm':
    case 'com.microsoft::FusedGemm':
      return y && { factor: 1, axes: [...y.axes, a.axes[intOf(node, 'transA', 0) ? 0 : 1]!] };
    case 'MatMul':
      return y && { factor: 1, axes: [...y.axes, a.axes.at(-1)!] };
    case 'LSTM':
    case 'GRU':
    case 'RNN': // input and recurrent weights are used alike often
      return c && { factor: a.shape[0]! * a.shape[1]!, axes: [b.axes[0]!, b.axes[1]!, c.axes[2]!] };
    default:
      return undefined;
  }
}
