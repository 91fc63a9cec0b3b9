import { createNode, type Dim, int, intOf, longs } from '@espalier/core';
import { type Conversion, type OpsetRule, type Rewrite, withAttributes } from './rule.js';

/**
 * Before opset 13 the data was seen as a matrix, rows before `axis` (1 unless said) and columns from there on, and
 * each row was normalised. Where the columns are one axis that is today's op; otherwise the matrix is made.
 */
const coerced: Rewrite = (node, conversion) => {
  const shape = conversion.infoOf(node.inputs[0])?.shape;
  const given = intOf(node, 'axis', 1);
  const direct = singleAxis(shape, given);
  if (direct !== undefined) return [withAttributes(node, { set: { axis: int(direct) } })];
  const matrix = conversion.fresh(`${node.id}_matrix`);
  const rows = conversion.fresh(`${node.id}_rows`);
  const { sizes, before } = sizesOf(node.inputs[0], { shape, conversion, id: node.id });
  return [
    ...before,
    createNode({
      id: conversion.fresh(`${node.id}_flatten`),
      op: 'Flatten',
      inputs: [node.inputs[0]],
      outputs: [matrix],
      attributes: { axis: int(given) },
    }),
    { ...withAttributes(node, { set: { axis: int(1) } }), inputs: [matrix], outputs: [rows] },
    createNode({
      id: conversion.fresh(`${node.id}_reshape`),
      op: 'Reshape',
      inputs: [rows, sizes],
      outputs: node.outputs,
    }),
  ];
};

/** The one axis that the columns run over, when all but one of them have size 1. */
function singleAxis(shape: readonly Dim[] | undefined, given: number): number | undefined {
  if (given === -1) return -1;
  if (!shape) return undefined;
  const from = given < 0 ? given + shape.length : given;
  const axes = shape.flatMap((dim, axis) => (axis >= from && dim !== 1 ? [axis] : []));
  if (axes.length > 1 || from < 0 || from >= shape.length) return undefined;
  return axes[0] ?? from;
}

/** The data's own sizes, as a constant where at most the first is not known. */
function sizesOf(
  data: string | undefined,
  { shape, conversion, id }: { shape: readonly Dim[] | undefined; conversion: Conversion; id: string },
) {
  const rest = shape?.slice(1);
  if (shape && rest?.every((dim): dim is number => typeof dim === 'number' && dim > 0)) {
    const first = shape[0]!; // a matrix needs two axes, so there is one
    return {
      sizes: conversion.constant(`${id}_sizes`, longs([typeof first === 'number' ? first : -1, ...rest])),
      before: [],
    };
  }
  const sizes = conversion.fresh(`${id}_sizes`);
  const shapeNode = createNode({ id: conversion.fresh(`${id}_shape`), op: 'Shape', inputs: [data], outputs: [sizes] });
  return { sizes, before: [shapeNode] };
}

const rules: readonly OpsetRule[] = [{ since: 13, typed: true, rewrite: coerced }];

/** The three ops that normalised the rows of a matrix before opset 13. */
export const softmaxRules: Readonly<Record<string, readonly OpsetRule[]>> = {
  Softmax: rules,
  LogSoftmax: rules,
  Hardmax: rules,
};
