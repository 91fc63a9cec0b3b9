import { type Graph, sizeOf, toNumbers, type ValueId } from '@espalier/core';
import type { Linear } from './linear.js';

/** A constant bias as one number per channel, times `beta`; zeros without a bias, undefined when it is no vector. */
export function biasVector(
  graph: Graph,
  { channels, beta }: Pick<Linear, 'channels' | 'beta'>,
  name: ValueId | undefined,
): Float64Array | undefined {
  if (name === undefined) return new Float64Array(channels);
  const bias = graph.constants.get(name);
  if (!bias?.shape.slice(0, -1).every((dim) => dim === 1)) return undefined;
  const values = toNumbers(bias);
  const single = sizeOf(bias.shape) === 1;
  if (!single && values.length !== channels) return undefined;
  return Float64Array.from({ length: channels }, (_, c) => beta * values[single ? 0 : c]!);
}
