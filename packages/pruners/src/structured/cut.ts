import {
  type Attribute,
  type AxisPort,
  createNode,
  type Edit,
  editGraph,
  fromNumbers,
  type Graph,
  longs,
  type Node,
  staticShape,
  type Tensor,
  type ValueId,
  type ValueInfo,
} from '@espalier/core';
import { inferShapes } from '@espalier/ops';
import { absorbConstants } from './absorb-constants.js';
import type { CoupledGraph } from './coupled.js';
import { type Remaining, type Removals, remainingAfter } from './removal.js';
import { takeIndices } from './take-indices.js';

/**
 * Removes units of groups (by id): slices of constants, and whatever states their number (groups, sizes of splits,
 * targets of reshapes, bounds of slices, paddings, hidden sizes). Shapes are inferred again. Constants that lose
 * nothing stay the same objects; the same graph comes back when nothing is removed.
 *
 * The result equals that of `maskGroups` with the same removals: constants that masked units still feed forward are
 * added to the biases of what sums over them. Padded convolutions are the exception (see
 * `docs/structured-pruning.md`). Units whose weights are zero in the graph keep feeding what their biases say.
 * @throws PRUNE_GROUP, PRUNE_EMPTY.
 */
export function cut(net: CoupledGraph, removals: Removals): Graph {
  const { graph } = net;
  if ([...removals.values()].every((units) => units.length === 0)) return graph;
  const remaining = remainingAfter(net, removals);
  const { ports } = net.relations;
  const draft = editGraph(graph);
  for (const [value, tensor] of graph.constants) {
    const axes = ports.get(value)?.axes ?? [];
    if (!axes.some(remaining.changed)) continue;
    const kept = axes.map((axis) => (remaining.changed(axis) ? remaining.indices(axis) : undefined));
    draft.setConstant(value, takeIndices(tensor, kept));
  }
  for (const [value, port] of ports) {
    if (!port.constant && port.axes.some(remaining.changed)) draft.setInfo(value, infoAfter(graph, port, remaining));
  }
  const made = new Map<string, ValueId>();
  const absorbed = absorbConstants(remaining, draft);
  for (const [id, node] of absorbed) draft.replace(id, node);
  for (const node of graph.nodes) {
    const edit = editOf(node, remaining);
    if (!edit) continue;
    const making = { graph, node, made, draft };
    const after = edited(absorbed.get(node.id) ?? node, edit, (slot, numbers) => constantFor(making, slot, numbers));
    draft.replace(node.id, ...withEntries(making, after, edit.entries));
  }
  return inferShapes(draft.finish());
}

/** Sets shapes of outputs that inference does not know; sizes that have names are not cut. */
function infoAfter(graph: Graph, { value, dims, axes }: AxisPort, { changed, count }: Remaining): ValueInfo {
  const { dtype } = graph.values.get(value)!; // a port that is no constant comes from there
  const open = dims.some((dim, i) => typeof dim !== 'number' && changed(axes[i]!));
  if (open) return { dtype };
  return { dtype, shape: dims.map((dim, i) => (changed(axes[i]!) ? count(axes[i]!) : dim)) };
}

function editOf(node: Node, remaining: Remaining): Edit | undefined {
  const rule = remaining.net.relations.ruleOf(node.op);
  if (!rule.rewrite) return undefined;
  const site = remaining.net.relations.site(node);
  const touched = [...site.inputs, ...site.outputs].some((port) => port?.axes.some(remaining.changed));
  return touched ? rule.rewrite(site, remaining) : undefined;
}

function edited(
  node: Node,
  { attributes = {}, numbers = new Map() }: Edit,
  constant: (slot: number, numbers: readonly number[]) => ValueId,
): Node {
  const inputs = [...node.inputs];
  for (const [slot, given] of numbers) inputs[slot] = given ? constant(slot, given) : undefined;
  while (inputs.length > 0 && inputs.at(-1) === undefined) inputs.pop();
  const after = new Map<string, Attribute>(node.attributes);
  for (const [name, attribute] of Object.entries(attributes)) {
    if (attribute === undefined) after.delete(name);
    else after.set(name, attribute);
  }
  return { ...node, inputs, attributes: after };
}

/** Puts numbers into lists that are computed at run time: `Where(computed, list, numbers)` before the node. */
function withEntries({ graph, draft }: Making, node: Node, entries: Edit['entries'] = new Map()): readonly Node[] {
  const inputs = [...node.inputs];
  const made = [...entries].map(([slot, places]): Node => {
    const list = inputs[slot]!; // an entry of it is replaced
    const length = staticShape(graph, list)?.[0] ?? 1;
    const wish = `${node.id}_sizes${slot}`;
    const [computed, numbers, merged] = [`${wish}_computed`, `${wish}_numbers`, wish].map(draft.fresh) as [
      ValueId,
      ValueId,
      ValueId,
    ];
    const at = (of: (place: number) => number) => Array.from({ length }, (_, i) => of(i));
    draft.setConstant(
      computed,
      fromNumbers(
        'bool',
        [length],
        at((i) => (places.has(i) ? 0 : 1)),
      ),
    );
    draft.setConstant(numbers, longs(at((i) => places.get(i) ?? 0)));
    inputs[slot] = merged;
    return createNode({
      id: draft.fresh(`${wish}/Where`),
      op: 'Where',
      inputs: [computed, list, numbers],
      outputs: [merged],
    });
  });
  return [...made, { ...node, inputs }];
}

interface Making {
  readonly graph: Graph;
  readonly node: Node;
  readonly made: Map<string, ValueId>;
  readonly draft: ReturnType<typeof editGraph>;
}

/** A constant with these numbers, shared by all nodes that read the same one before. */
function constantFor({ graph, node, made, draft }: Making, slot: number, numbers: readonly number[]): ValueId {
  const old = node.inputs[slot];
  const before: Tensor | undefined = old === undefined ? undefined : graph.constants.get(old);
  const key = `${old ?? ''}:${numbers.join()}`;
  let value = made.get(key);
  if (value === undefined) {
    value = draft.fresh(old === undefined ? `${node.id}_sizes` : `${old}_cut`);
    made.set(key, value);
    draft.setConstant(value, fromNumbers(before?.dtype ?? 'int64', [numbers.length], numbers));
  }
  return value;
}
