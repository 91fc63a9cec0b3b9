import {
  createNode,
  type Draft,
  editGraph,
  type Graph,
  int,
  intOf,
  intsOf,
  longs,
  type Node,
  scalar,
  type Tensor,
  toNumbers,
  type ValueId,
} from '@espalier/core';
import type { AxisPort } from '../packages/core/src/axis-rule.js';
import type { CoupledGraph } from '../packages/pruners/src/structured/coupled.js';
import { type Remaining, type Removals, remainingAfter } from '../packages/pruners/src/structured/removal.js';
import { takeIndices } from '../packages/pruners/src/structured/take-indices.js';

/**
 * The masked graph with its means and layer norms taken over what would be left: statistics no longer count the
 * zeros. A cut with `statistics: true` computes exactly this. Covers ReduceMean, and LayerNormalization over the
 * last axis.
 */
export function normsOverKept(masked: Graph, net: CoupledGraph, removals: Removals): Graph {
  const { graph: original, relations } = net;
  const remaining = remainingAfter(net, removals);
  const { site } = relations;
  const draft = editGraph(masked);
  for (const node of original.nodes) {
    const x = site(node).inputs[0];
    const axes = x && normalizedAxes(original, node, x).filter((axis) => remaining.changed(x.axes[axis]!));
    if (!x || !axes?.length) continue;
    const build = builderFor(draft, node);
    if (node.op === 'ReduceMean') {
      const left = axes.reduce((value, axis) => build.gather(value, remaining.indices(x.axes[axis]!), axis), x.value);
      draft.replace(node.id, ...build.nodes, { ...node, inputs: [left, ...node.inputs.slice(1)] });
    } else draft.replace(node.id, ...normedOverKept({ masked, node, x, remaining, build }));
  }
  return draft.finish();
}

function normalizedAxes(graph: Graph, node: Node, x: AxisPort): readonly number[] {
  const rank = x.axes.length;
  const from0 = (axis: number) => (axis < 0 ? axis + rank : axis);
  if (node.op === 'LayerNormalization') return [from0(intOf(node, 'axis', -1))];
  if (node.op !== 'ReduceMean') return [];
  const given = node.inputs[1] === undefined ? undefined : graph.constants.get(node.inputs[1]);
  const axes = given ? toNumbers(given) : intsOf(node, 'axes', []);
  return axes.length > 0 ? axes.map(from0) : x.axes.map((_, i) => i);
}

type Builder = ReturnType<typeof builderFor>;

function builderFor(draft: Draft, { id }: Node) {
  const nodes: Node[] = [];
  const constant = (name: string, tensor: Tensor): ValueId => {
    const value = draft.fresh(`${id}_${name}`);
    draft.setConstant(value, tensor);
    return value;
  };
  const add = (op: string, inputs: readonly ValueId[], axis?: number): ValueId => {
    const output = draft.fresh(`${id}_${op}`);
    const attributes = axis === undefined ? {} : { axis: int(axis) };
    nodes.push(createNode({ id: draft.fresh(`${output}_node`), op, inputs, outputs: [output], attributes }));
    return output;
  };
  const gather = (value: ValueId, indices: readonly number[], axis: number) =>
    add('Gather', [value, constant('indices', longs(indices))], axis);
  return { nodes, constant, add, gather };
}

/** Gathered, normed, and put back with zeros where units are gone. */
function normedOverKept(of: {
  readonly masked: Graph;
  readonly node: Node;
  readonly x: AxisPort;
  readonly remaining: Remaining;
  readonly build: Builder;
}): readonly Node[] {
  const { masked, node, x, remaining, build } = of;
  const last = x.axes.length - 1;
  const axis = x.axes[last]!;
  const kept = remaining.indices(axis);
  const places = Array.from({ length: axis.size }, (_, i) =>
    remaining.gone(axis, i) ? kept.length : remaining.before(axis, i),
  );
  const left = build.gather(x.value, kept, last);
  const scales = node.inputs
    .slice(1)
    .map((value) => build.constant('scale', takeIndices(masked.constants.get(value!)!, [kept])));
  const normed = `${node.id}_normed`;
  build.nodes.push({ ...node, inputs: [left, ...scales], outputs: [normed] });
  const zero = build.add('Mul', [build.gather(normed, [0], last), build.constant('nought', scalar(0))]);
  const back = build.gather(build.add('Concat', [normed, zero], last), places, last);
  return [
    ...build.nodes,
    createNode({ id: `${node.id}_back`, op: 'Identity', inputs: [back], outputs: node.outputs.slice(0, 1) }),
  ];
}
