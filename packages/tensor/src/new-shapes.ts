import { intOf, intsOf, type Node, sizeOf } from '@espalier/core';
import { wrongShapes } from './errors.js';
import { axisOf, refuse } from './operands.js';
import type { Layout } from './value.js';

/** A node that gives its first input another shape, on any backend. */
export interface ShapeSite {
  readonly node: Node;
  /** Of the first input. */
  readonly shape: readonly number[];
  /** Whole numbers that newer opsets carry as input `slot` and older ones as an attribute. */
  listed(slot: number, name: string): readonly number[] | undefined;
}

/** The shape that each op asks for. */
export const newShapes = {
  /** 0 keeps a size (unless `allowzero`), -1 takes what is left. */
  Reshape(c) {
    const wanted = c.listed(1, 'shape') ?? refuse(c, 'no shape');
    const keep = intOf(c.node, 'allowzero', 0) === 0;
    const shape = wanted.map((dim, axis) => (dim === 0 && keep ? (c.shape[axis] ?? 0) : dim));
    const open = shape.indexOf(-1);
    if (open < 0) return shape;
    const rest = shape.reduce((product, dim, axis) => (axis === open ? product : product * dim), 1);
    return shape.with(open, rest === 0 ? 0 : sizeOf(c.shape) / rest);
  },
  Flatten({ node, shape }) {
    const given = intOf(node, 'axis', 1);
    const axis = given < 0 ? given + shape.length : given;
    return [sizeOf(shape.slice(0, axis)), sizeOf(shape.slice(axis))];
  },
  Squeeze(c) {
    const axes = c.listed(1, 'axes')?.map((axis) => axisOf(c, axis, c.shape.length));
    return c.shape.filter((dim, axis) => (axes ? !axes.includes(axis) : dim !== 1));
  },
  Unsqueeze(c) {
    const given = c.listed(1, 'axes') ?? [];
    const rank = c.shape.length + given.length;
    const axes = new Set(given.map((axis) => axisOf(c, axis, rank)));
    const rest = [...c.shape];
    return Array.from({ length: rank }, (_, axis) => (axes.has(axis) ? 1 : rest.shift()!)); // as many as are left
  },
} as const satisfies Readonly<Record<string, (site: ShapeSite) => readonly number[]>>;

/** A shape that holds as many elements as the input. @throws EXECUTOR_FAILED for any other. */
export function fittingShape({ node, shape: own }: ShapeSite, shape: readonly number[]): readonly number[] {
  if (sizeOf(shape) === sizeOf(own) && shape.every((dim) => Number.isInteger(dim) && dim >= 0)) return shape;
  throw wrongShapes(node, `${sizeOf(own)} elements, as in [${own.join(',')}]`, `[${shape.join(',')}]`);
}

/** The order in which Transpose takes the axes. Default: reversed. */
export const axisOrder = (node: Node, rank: number): readonly number[] =>
  intsOf(
    node,
    'perm',
    Array.from({ length: rank }, (_, i) => rank - 1 - i),
  ).map((axis) => axisOf({ node }, axis, rank));

/**
 * Whether an order of axes is all that lies between two layouts: `last` where it makes what is kept channels last a
 * plain value, `plain` the other way round. Then nothing moves, the layouts exchange their names.
 */
export function exchanges(order: readonly number[], kept: Layout): boolean {
  const rank = order.length;
  if (rank < 3) return false;
  const spatial = Array.from({ length: rank - 2 }, (_, i) => i + 2);
  const other = kept === 'last' ? [0, ...spatial, 1] : [0, rank - 1, ...spatial.map((axis) => axis - 1)];
  return order.every((axis, i) => axis === other[i]);
}
