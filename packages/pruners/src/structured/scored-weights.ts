import { type Graph, isFloat, sizeOf, type Tensor, tensor, type ValueId } from '@espalier/core';
import { type RealWeight, weightOf } from '@espalier/ops';

/** A weight as scores see it; undefined for whole numbers whose scale is not known. */
export type ScoredWeight = (value: ValueId) => Tensor | undefined;

/**
 * The weights of a graph as scores see them, each decoded once: the real numbers that a constant stands for, at the
 * axes that the constant has. Codes in blocks [N, blocks, bytes] become [N, blocks, block], with zeros behind the last
 * column.
 */
export function scoredWeights(graph: Graph): ScoredWeight {
  const weights = new Map<ValueId, Tensor | undefined>();
  return (value) => {
    const constant = graph.constants.get(value);
    if (!constant || isFloat(constant.dtype)) return constant;
    if (!weights.has(value)) weights.set(value, decoded(weightOf(graph, value)));
    return weights.get(value);
  };
}

function decoded(weight: RealWeight | undefined): Tensor | undefined {
  const { coding, shape, values = [] } = weight ?? { shape: [] };
  if (!coding?.scale) return undefined;
  if (coding.kind === 'linear') return tensor('float32', shape, Float32Array.from(values));
  const { rows, columns, block } = coding;
  const width = Math.ceil(columns / block) * block;
  const padded = new Float32Array(rows * width);
  for (let at = 0; at < sizeOf(shape); at++) {
    padded[Math.floor(at / columns) * width + (at % columns)] = values[at]!;
  }
  return tensor('float32', [rows, width / block, block], padded);
}
