import {
  type AxisPort,
  type AxisRule,
  type AxisSite,
  type Graph,
  type Node,
  outerReferences,
  type Role,
  type ValueId,
  type ZeroCode,
} from '@espalier/core';
import type { Layer, Refusal } from '../layer/layer.js';
import { layerOf } from '../layer/layer-of.js';
import { axisRuleOf } from './axis-rules.js';
import { nodeText, siteOf } from './axis-site.js';
import { type AxisSpace, createAxisSpace } from './axis-space.js';
import { portsOf } from './ports-of.js';
import { pinPart, type Regrouping, settleRegroupings } from './regrouped-axes.js';
import type { RelateOptions } from './relate-options.js';

/** The relations between the axes of all values of a graph. */
export interface Relations {
  readonly space: AxisSpace;
  /** Shape with stand-ins for named sizes, and axes, of every value whose rank is known. */
  readonly ports: ReadonlyMap<ValueId, AxisPort>;
  /** The effect of masking on an axis of a constant. */
  role(value: ValueId, axis: number): Role;
  /** The code of zero of a constant of whole numbers that code weights; undefined for all others. */
  codeOf(value: ValueId): ZeroCode | undefined;
  /** The node as its rule sees it. */
  site(node: Node): AxisSite;
  /** The rule of an op. */
  ruleOf(op: string): AxisRule;
  /** Facts about the weights of a node. */
  layer(node: Node): Layer | Refusal;
}

/** Relates the axes of all values of a graph: hold the result, it takes time. Shapes must have been inferred. */
export function relateAxes(graph: Graph, options: RelateOptions = {}): Relations {
  const { ports, size } = portsOf(graph);
  const space = createAxisSpace(size);
  const roles = new Map<ValueId, Map<number, Role>>();
  const coded = new Map<ValueId, AxisPort>();
  const parts: Regrouping[] = [];
  const codes = new Map<ValueId, ZeroCode>();
  const open = { graph, ports, space, parts, codes };
  const ruleOf = (op: string) => options.rules?.get(op) ?? axisRuleOf(op);
  const pinValue = (value: ValueId, reason: string) => pinPart(space, ports.get(value)?.axes ?? [], reason);
  for (const value of graph.inputs) pinValue(value, `"${value}" is an input of the graph`);
  for (const value of graph.outputs) pinValue(value, `"${value}" is an output of the graph`);
  for (const { value, axes } of ports.values()) {
    for (const axis of axes) if (axis.size === 1) pinPart(space, [axis], `nothing would be left of "${value}"`);
  }
  for (const node of graph.nodes) {
    const told = new Map<ValueId, Map<number, Role>>();
    const site = siteOf(open, node, told);
    for (const value of outerReferences(node)) pinValue(value, `${nodeText(node)}: its subgraph reads it`);
    const unknown = [...node.inputs, ...node.outputs].some((value) => value !== undefined && !ports.has(value));
    if (unknown) site.pinAll('a shape is not known');
    else ruleOf(node.op).relate(site);
    const passed = ruleOf(node.op).transparent ? site.inputs[0] : undefined;
    const output = site.outputs[0];
    if (passed && output && (passed.constant || coded.has(passed.value))) coded.set(output.value, passed);
    for (const port of site.inputs) {
      if (port && port !== passed && (port.constant || coded.has(port.value)))
        mergeRoles(port, told.get(port.value), roles);
    }
  }
  // The readers of what comes out of a quantizer read the weight: the last quantizer hands its roles back first.
  for (const [value, source] of [...coded].reverse()) mergeRoles(source, roles.get(value), roles);
  settleRegroupings(space, parts, options);
  return {
    space,
    ports,
    role: (value, axis) => roles.get(value)?.get(axis) ?? 'produces',
    codeOf: (value) => codes.get(value),
    site: (node) => siteOf(open, node),
    ruleOf,
    layer: (node) => layerOf(graph, node, options.rules),
  };
}

// When readers disagree about a role, the later in this list wins: masking must be safe for all of them.
const precedence: readonly Role[] = ['sums', 'produces', 'keeps', 'inner'];

/** Merges the roles that one reader gives to the axes of a constant with those of other readers. Default: `produces`. */
function mergeRoles(
  { value, axes }: AxisPort,
  told: ReadonlyMap<number, Role> | undefined,
  roles: Map<ValueId, Map<number, Role>>,
): void {
  const known = roles.get(value) ?? new Map<number, Role>();
  roles.set(value, known);
  for (const axis of axes.keys()) {
    const [before, now] = [known.get(axis), told?.get(axis) ?? 'produces'];
    known.set(axis, before === undefined || precedence.indexOf(now) > precedence.indexOf(before) ? now : before);
  }
}
