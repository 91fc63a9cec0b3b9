import { type Axis, bitsOf, type Graph, intOf, isFloat, type Node, sizeOf } from '@espalier/core';
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
 * Prepares the exact cost of any cut from shapes alone, without weights: parameters are elements of float and quantized constants,
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
    const weighs = isFloat(dtype) || found.relations.codeOf(value) !== undefined;
    if (!weighs || shape.length === 0) continue;
    const axes = ports.get(value)?.axes ?? [];
    terms.push(term('parameters', 1, axes), term('bytes', bitsOf(dtype) / 8, axes));
  }
  for (const node of graph.nodes) {
    const counted = multiplications(site(node));
    if (counted) terms.push(term('macs', counted.factor, counted.axes));
  }
  return terms;
}

/** A product of sizes of axes and a number. */
interface Multiplications {
  readonly factor: number;
  readonly axes: readonly Axis[];
}

type Counted = (site: ReturnType<Found['relations']['site']>) => Multiplications | undefined;

/** Every element of the weight in slot `w` at every place of the result. */
const conv =
  (w = 1): Counted =>
  ({ node, inputs, outputs: [y] }) => {
    const [x, weight] = [inputs[0], inputs[w]];
    if (!x || !weight || !y) return undefined;
    const places = intOf(node, 'channels_last', 0) === 1 ? y.shape.slice(1, -1) : y.shape.slice(2);
    return { factor: x.shape[0]! * sizeOf(places), axes: weight.axes };
  };

/** Every element of the result sums over one axis of the left factor. */
const product =
  (summed: (rank: number, node: Node) => number): Counted =>
  ({ node, inputs: [a], outputs: [y] }) =>
    a && y && { factor: 1, axes: [...y.axes, a.axes[summed(a.axes.length, node)]!] };

const last = product((rank) => rank - 1);
const gemm = product((_, node) => (intOf(node, 'transA', 0) ? 0 : 1));

/** Input and recurrent weights are used alike often. */
const recurrent: Counted = ({ inputs: [x, w, r] }) =>
  x && w && r && { factor: x.shape[0]! * x.shape[1]!, axes: [w.axes[0]!, w.axes[1]!, r.axes[2]!] };

const counted: ReadonlyMap<string, Counted> = new Map([
  ['Conv', conv()],
  ['ConvInteger', conv()],
  ['QLinearConv', conv(3)],
  ['com.microsoft::FusedConv', conv()],
  ['com.microsoft::QLinearConv', conv(3)],
  ['ConvTranspose', ({ inputs: [x, w] }) => x && w && { factor: x.shape[0]! * sizeOf(x.shape.slice(2)), axes: w.axes }],
  ['Gemm', gemm],
  ['com.microsoft::FusedGemm', gemm],
  ['com.microsoft::QGemm', gemm],
  ['MatMul', last],
  ['MatMulInteger', last],
  ['QLinearMatMul', last],
  ['com.microsoft::DynamicQuantizeMatMul', last],
  ['com.microsoft::FusedMatMul', product((rank, node) => (intOf(node, 'transA', 0) ? rank - 2 : rank - 1))],
  ['com.microsoft::MatMulIntegerToFloat', last],
  ['com.microsoft::MatMulNBits', last],
  ['GRU', recurrent],
  ['LSTM', recurrent],
  ['RNN', recurrent],
]);

/** The axes whose product of sizes is the number of multiply-adds. */
export const multiplications: Counted = (site) => counted.get(site.node.op)?.(site);
