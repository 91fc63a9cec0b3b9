import {
  type Axis,
  type AxisPort,
  type AxisSite,
  domainOf,
  type Graph,
  indexOf,
  type Node,
  opsetOf,
  type Role,
  sizeOf,
  toNumbers,
  type ValueId,
  type ZeroCode,
} from '@espalier/core';
import type { AxisSpace } from './axis-space.js';
import { hasDigits, pinPart, type Regrouping, regroupings } from './regrouped-axes.js';
import { broadcast } from './rules/elementwise.js';
import { entriesRead } from './rules/shape.js';

/** The store that the rules of all nodes write into. */
export interface OpenRelations {
  readonly graph: Graph;
  readonly ports: ReadonlyMap<ValueId, AxisPort>;
  readonly space: AxisSpace;
  /** Reshapes, to be settled when everything else is known. */
  readonly parts: Regrouping[];
  /** Constants of whole numbers that code weights. */
  readonly codes: Map<ValueId, ZeroCode>;
}

/** A node as messages name it. */
export const nodeText = (node: Node): string => `node "${node.id}" (${node.op})`;

const longest = 4096;

/** One node as its rule sees it; `roles` receives what the rule says of constants. */
export function siteOf(open: OpenRelations, node: Node, roles: Map<ValueId, Map<number, Role>> = new Map()): AxisSite {
  const { graph, ports, space, parts, codes } = open;
  const port = (value: ValueId | undefined) => (value === undefined ? undefined : ports.get(value));
  const [inputs, outputs] = [node.inputs.map(port), node.outputs.map(port)];
  const pin = ({ start, size }: Axis, reason: string) => {
    const why = `${nodeText(node)}: ${reason}`;
    for (let i = 0; i < size; i++) space.pin(start + i, why);
  };
  const join = (a: Axis, i: number, b: Axis, j: number) => {
    if (i < a.size && j >= 0 && j < b.size) space.join(a.start + i, b.start + j);
  };
  const site: AxisSite = {
    node,
    opset: opsetOf(graph, domainOf(node.op)),
    inputs,
    outputs,
    numbers(slot) {
      const value = node.inputs[slot];
      const constant = value === undefined ? undefined : graph.constants.get(value);
      return constant && sizeOf(constant.shape) <= longest ? toNumbers(constant) : undefined;
    },
    entries: (slot) => entriesOf(open, node.inputs[slot]),
    readEntries: () => (node.outputs[0] === undefined ? new Set() : entriesRead(graph, node.outputs[0])),
    elementwise() {
      for (const output of outputs) broadcast(site, inputs, output);
    },
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
      if (role === 'inner' && of) space.mark(of.axes[axis]!, 'inner');
      if (!of) return;
      const axes = roles.get(of.value) ?? new Map<number, Role>();
      roles.set(of.value, axes.set(axis, role));
    },
    coded(of, zeroPoint, along, block) {
      if (!of?.constant) return;
      if (zeroPoint && !zeroPoint.constant) {
        for (const axis of of.axes) pin(axis, 'its zero point is computed at run time');
        return;
      }
      codes.set(of.value, {
        ...(zeroPoint?.constant ? { zeroPoint: zeroPoint.constant } : {}),
        ...(along === undefined ? {} : { along }),
        ...(block ? { block } : {}),
      });
    },
    reshape(from, to) {
      for (const part of regroupings(from, to)) {
        if (!hasDigits(part)) pinPart(space, part, `${nodeText(node)}: its shapes have no common factors`);
        else if (part.length > 1) parts.push(part);
        else
          for (let i = 0; i < part[0]!.size; i++) space.join(part[0]!.from.axis.start + i, part[0]!.to.axis.start + i);
      }
    },
  };
  return site;
}

/** The elements of a list of whole numbers as far as they are constants: those of a constant, or of joined lists. */
function entriesOf(
  { graph, ports }: OpenRelations,
  value: ValueId | undefined,
): readonly (number | undefined)[] | undefined {
  const shape = value === undefined ? undefined : ports.get(value)?.shape;
  if (value === undefined || shape === undefined || shape.length > 1 || sizeOf(shape) > longest) return undefined;
  const constant = graph.constants.get(value);
  if (constant) return toNumbers(constant);
  if (opsetOf(graph) < 9) return undefined; // without Where no entry can be replaced
  const unknown = (count: number): readonly (number | undefined)[] => new Array<undefined>(count).fill(undefined);
  const maker = indexOf(graph).producer.get(value);
  if (maker?.op !== 'Concat') return unknown(sizeOf(shape));
  const joined = maker.inputs.flatMap((part = '') => {
    const numbers = graph.constants.get(part);
    return numbers ? toNumbers(numbers) : unknown(sizeOf(ports.get(part)?.shape ?? []));
  });
  return joined.length === sizeOf(shape) ? joined : unknown(sizeOf(shape));
}
