import {
  domainOf,
  type Graph,
  type Node,
  opsetOf,
  outerReferences,
  sizeOf,
  toNumbers,
  type ValueId,
} from '@espalier/core';
import type { Port, Role, Site } from './axis-rule.js';
import { axisRuleOf } from './axis-rules.js';
import { type Axis, type AxisSpace, createAxisSpace } from './axis-space.js';
import type { GroupOptions } from './group.js';
import { probeShapes } from './probe-shapes.js';
import { hasDigits, pinPart, type Regrouping, regroupings, settleRegroupings } from './regrouped-axes.js';
import { entriesRead } from './rules/shape.js';

/** How the axes of all values of a graph relate. */
export interface Relations {
  readonly space: AxisSpace;
  /** Shape with stand-ins for named sizes, and axes, of every value whose rank is known. */
  readonly ports: ReadonlyMap<ValueId, Port>;
  /** What masking does to an axis of a constant. */
  role(value: ValueId, axis: number): Role;
  /** The node as its rule sees it. */
  site(node: Node): Site;
}

// Axes beyond this are no channels: long signals, and vocabularies of many languages.
const mostIndices = 1 << 22;
const known = new WeakMap<Graph, Map<string, Relations>>();

/** The relations of a graph; found once per graph object and choice. Shapes must have been inferred. */
export function relateAxes(graph: Graph, options: GroupOptions = {}): Relations {
  const key = choiceOf(options);
  const ways = known.get(graph) ?? new Map<string, Relations>();
  known.set(graph, ways);
  let relations = ways.get(key);
  if (!relations) {
    relations = find(graph, options);
    ways.set(key, relations);
  }
  return relations;
}

/** A text that is equal for options that mean the same. */
export const choiceOf = ({ attention = 'heads' }: GroupOptions): string => attention;

function find(graph: Graph, options: GroupOptions): Relations {
  const ports = new Map<ValueId, Port>();
  let size = 0;
  for (const [value, shape] of probeShapes(graph)) {
    if (shape.some((dim) => dim > mostIndices)) continue;
    const axes = shape.map((dim) => {
      const axis = { start: size, size: dim };
      size += dim;
      return axis;
    });
    ports.set(value, { value, shape, axes, constant: graph.constants.get(value) });
  }
  const space = createAxisSpace(size);
  const roles = new Map<ValueId, Map<number, Role>>();
  const parts: Regrouping[] = [];
  const open = { graph, ports, space, roles, parts };
  for (const value of graph.inputs) pinValue(open, value, `"${value}" is an input of the graph`);
  for (const value of graph.outputs) pinValue(open, value, `"${value}" is an output of the graph`);
  for (const { value, axes } of ports.values()) {
    for (const axis of axes) if (axis.size === 1) pinPart(space, [axis], `nothing would be left of "${value}"`);
  }
  for (const node of graph.nodes) {
    const site = siteOf(open, node);
    for (const value of outerReferences(node)) pinValue(open, value, `${named(node)}: its subgraph reads it`);
    const unknown = [...node.inputs, ...node.outputs].some((value) => value !== undefined && !ports.has(value));
    if (unknown) site.pinAll('a shape is not known');
    else axisRuleOf(node.op).relate(site);
  }
  settleRegroupings(space, parts, options);
  return {
    space,
    ports,
    role: (value, axis) => roles.get(value)?.get(axis) ?? 'produces',
    site: (node) => siteOf(open, node),
  };
}

interface Open {
  readonly graph: Graph;
  readonly ports: ReadonlyMap<ValueId, Port>;
  readonly space: AxisSpace;
  readonly roles: Map<ValueId, Map<number, Role>>;
  readonly parts: Regrouping[];
}

const named = (node: Node): string => `node "${node.id}" (${node.op})`;

function pinValue({ ports, space }: Open, value: ValueId, reason: string): void {
  const port = ports.get(value);
  if (port) pinPart(space, port.axes, reason);
}

const longest = 4096;

function siteOf({ graph, ports, space, roles, parts }: Open, node: Node): Site {
  const port = (value: ValueId | undefined) => (value === undefined ? undefined : ports.get(value));
  const [inputs, outputs] = [node.inputs.map(port), node.outputs.map(port)];
  const pin = ({ start, size }: Axis, reason: string) => {
    const why = `${named(node)}: ${reason}`;
    for (let i = 0; i < size; i++) space.pin(start + i, why);
  };
  const join = (a: Axis, i: number, b: Axis, j: number) => {
    if (i < a.size && j >= 0 && j < b.size) space.join(a.start + i, b.start + j);
  };
  return {
    node,
    opset: opsetOf(graph, domainOf(node.op)),
    inputs,
    outputs,
    numbers(slot) {
      const value = node.inputs[slot];
      const constant = value === undefined ? undefined : graph.constants.get(value);
      return constant && sizeOf(constant.shape) <= longest ? toNumbers(constant) : undefined;
    },
    readEntries: () => (node.outputs[0] === undefined ? new Set() : entriesRead(graph, node.outputs[0])),
    same(a, b) {
      if (a.size !== b.size) for (const each of [a, b]) pin(each, 'its sizes do not fit together');
      else for (let i = 0; i < a.size; i++) space.join(a.start + i, b.start + i);
    },
    run(a, b, { fromA = 0, stepA = 1, fromB = 0, count }) {
      for (let i = 0; i < count; i++) join(a, fromA + i * stepA, b, fromB + i);
    },
    map(a, b, of) {
      for (let i = 0; i < a.size; i++) join(a, i, b, of(i));
    },
    tie(axis, of) {
      const first = new Map<number, number>();
      for (let i = 0; i < axis.size; i++) {
        const key = of(i);
        const other = first.get(key);
        if (other === undefined) first.set(key, i);
        else join(axis, i, axis, other);
      }
    },
    pin,
    pinAll(reason) {
      for (const each of [...inputs, ...outputs]) for (const axis of each?.axes ?? []) pin(axis, reason);
    },
    mark: space.mark,
    role(of, axis, role) {
      if (!of?.constant) return;
      let axes = roles.get(of.value);
      if (!axes) {
        axes = new Map();
        roles.set(of.value, axes);
      }
      axes.set(axis, role);
    },
    reshape(from, to) {
      for (const part of regroupings(from, to)) {
        if (!hasDigits(part)) pinPart(space, part, `${named(node)}: its shapes have no common factors`);
        else if (part.length > 1) parts.push(part);
        else
          for (let i = 0; i < part[0]!.size; i++) space.join(part[0]!.from.axis.start + i, part[0]!.to.axis.start + i);
      }
    },
  };
}
