import { intOf, type Node, textOf } from '@espalier/core';
import { axisAt } from '../axes/axis-at.js';
import type { WeightAxes } from './layer.js';

/** The axes of an operand of a node, by its rank; a clause where they do not fit. */
export type AxesOf = (node: Node, rank: number) => WeightAxes | string;

const from = (start: number, rank: number): readonly number[] =>
  Array.from({ length: Math.max(0, rank - start) }, (_, i) => start + i);

/** Axes of a layer without groups. */
const plain = (axes: Partial<WeightAxes>): WeightAxes => ({
  outputs: [],
  sums: [],
  inner: [],
  stacked: [],
  groups: 1,
  perGroup: 'sums',
  ...axes,
});

/** [out, in / groups, ...kernel], transposed [in, out / groups, ...kernel]. */
export const kernels =
  (transposed: boolean): AxesOf =>
  (node, rank) => {
    const groups = intOf(node, 'group', 1);
    if (rank < 3 || groups < 1) return 'its weight does not fit a convolution';
    const [outputs, sums] = transposed ? [1, 0] : [0, 1];
    const perGroup = transposed && groups > 1 ? 'outputs' : 'sums';
    return plain({ outputs: [outputs], sums: [sums], inner: from(2, rank), groups, perGroup });
  };

/** The matrix of a product, the last two axes of a stack: [rows, columns], or flipped where the attribute is set. */
export const matrices =
  (side: 'left' | 'right', flag?: string): AxesOf =>
  (node, rank) => {
    if (rank < 1) return 'its weight is no matrix';
    if (rank === 1) return plain({ sums: [0] });
    const flipped = flag !== undefined && intOf(node, flag, 0) !== 0;
    // The left operand sums over its columns, the right one over its rows.
    const [outputs, sums] = (side === 'left') !== flipped ? [rank - 2, rank - 1] : [rank - 1, rank - 2];
    return plain({ outputs: [outputs], sums: [sums], stacked: from(0, rank - 2) });
  };

/** The same where the operands are never stacks. */
export const matrix =
  (side: 'left' | 'right', flag: string): AxesOf =>
  (node, rank) =>
    rank === 2 ? matrices(side, flag)(node, rank) : 'its weight is no matrix';

/** [directions, gates · hidden, in]; [directions, in, gates · hidden] where inputs come first. */
export const gates =
  (inputsFirst = false): AxesOf =>
  (_, rank) => {
    if (rank !== 3) return 'its weights do not fit a recurrent layer';
    const [outputs, sums] = inputsFirst ? [2, 1] : [1, 2];
    return plain({ outputs: [outputs], sums: [sums], stacked: [0] });
  };

/** [columns, blocks of rows, bytes of a block]. */
export const blocks: AxesOf = (_, rank) =>
  rank < 2 ? 'its weights are not stored in blocks' : plain({ outputs: [0], sums: [1], inner: from(2, rank) });

/** A table whose rows lie along one axis. */
export const table =
  (attribute?: string): AxesOf =>
  (node, rank) => {
    const axis = attribute === undefined ? 0 : axisAt(intOf(node, attribute, 0), rank);
    return plain({ stacked: [axis], outputs: from(0, rank).filter((i) => i !== axis) });
  };

/** By the letters of an equation of two operands: those that the result lacks are summed over. */
export const letters =
  (slot: number): AxesOf =>
  (node, rank) => {
    const parts = /^([A-Za-z]+),([A-Za-z]+)->([A-Za-z]*)$/.exec(textOf(node, 'equation', '').replaceAll(/\s/g, ''));
    if (!parts) return 'its equation is no product of two operands';
    const [own, other, result] = [parts[1 + slot]!, parts[2 - slot]!, parts[3]!];
    if (own.length !== rank || new Set(own).size !== rank) return 'its equation does not fit the weight';
    const where = (test: (letter: string) => boolean) => from(0, rank).filter((axis) => test(own[axis]!));
    const sums = where((letter) => !result.includes(letter));
    if (sums.length === 0) return 'its equation sums over nothing of the weight';
    return plain({
      sums,
      outputs: where((letter) => result.includes(letter) && !other.includes(letter)),
      stacked: where((letter) => result.includes(letter) && other.includes(letter)),
    });
  };
