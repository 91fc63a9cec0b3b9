import type { Axis, AxisPort, AxisRule, Graph, Node, Role, ValueId } from '@espalier/core';
import { siteOf } from '../axes/axis-site.js';
import { type AxisSpace, createAxisSpace } from '../axes/axis-space.js';
import { portsOf } from '../axes/ports-of.js';
import type { Layer, LayerWeight, Refusal } from './layer.js';

/** One node after its rule has spoken. */
interface Told {
  readonly inputs: readonly (AxisPort | undefined)[];
  readonly result: AxisPort | undefined;
  readonly space: AxisSpace;
  readonly roles: ReadonlyMap<ValueId, ReadonlyMap<number, Role>>;
}

/**
 * A layer as an axis rule has it: an input is a weight where the rule says that it is summed over. Of its other axes,
 * those that it shares with the result are outputs, unless the data has them too (then they number weights of their
 * own). Needs the shapes of all inputs and outputs.
 */
export function layerByRule(graph: Graph, node: Node, rule: AxisRule): Layer | Refusal {
  const values = new Set([...node.inputs, ...node.outputs].filter((value) => value !== undefined));
  const { ports, size } = portsOf(graph, values);
  const unknown = [...values].find((value) => !ports.has(value));
  if (unknown !== undefined) return { reason: `the shape of "${unknown}" is not known` };
  const space = createAxisSpace(size);
  const roles = new Map<ValueId, Map<number, Role>>();
  const site = siteOf({ graph, ports, space, parts: [], codes: new Map() }, node, roles);
  rule.relate(site);
  const told: Told = { inputs: site.inputs, result: site.outputs[0], space, roles };
  const weights = site.inputs.flatMap((port, slot) => (port?.constant ? (layerWeight(told, port, slot) ?? []) : []));
  if (weights.length === 0) return { reason: `the axis rule of ${node.op} sums over no constant` };
  return { node, kind: 'custom', weights, factors: { product: 1, bias: 1 }, fused: false };
}

function layerWeight(told: Told, port: AxisPort, slot: number): LayerWeight | undefined {
  const { inputs, result, space, roles } = told;
  const of: Readonly<Record<'outputs' | 'sums' | 'inner' | 'stacked', number[]>> = {
    outputs: [],
    sums: [],
    inner: [],
    stacked: [],
  };
  const data = inputs.findIndex((input) => input && !input.constant);
  const meets = (other: AxisPort | undefined, axis: Axis): number =>
    other?.axes.findIndex((each) => sameClass(space, each, axis)) ?? -1;
  port.axes.forEach((axis, i) => {
    const role = roles.get(port.value)?.get(i) ?? 'produces';
    if (role === 'sums' || role === 'inner') of[role].push(i);
    else if (meets(result, axis) >= 0 && meets(inputs[data], axis) < 0) of.outputs.push(i);
    else of.stacked.push(i);
  });
  const [sums, outputs] = [of.sums[0], of.outputs[0]];
  if (sums === undefined) return undefined;
  const summed = meets(inputs[data], port.axes[sums]!);
  const made = outputs === undefined ? -1 : meets(result, port.axes[outputs]!);
  const ratio = (value: AxisPort | undefined, at: number, axis: number) =>
    at < 0 ? 1 : value!.axes[at]!.size / port.axes[axis]!.size; // found in it
  const [parts, repeats] = [ratio(inputs[data], summed, sums), made < 0 ? 1 : ratio(result, made, outputs!)];
  return {
    ...of,
    slot,
    value: port.value,
    groups: Math.max(parts, repeats),
    perGroup: repeats > parts ? 'outputs' : 'sums',
    ...(summed < 0 ? {} : { data: { slot: data, axis: summed } }),
    ...(made < 0 ? {} : { result: made }),
  };
}

/** Whether the first indices of two axes are the same thing: rules relate whole axes, from the first index on. */
const sameClass = (space: AxisSpace, a: Axis, b: Axis): boolean =>
  a.size > 0 && b.size > 0 && space.find(a.start) === space.find(b.start);
