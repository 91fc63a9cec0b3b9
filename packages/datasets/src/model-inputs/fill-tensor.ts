import { fromNumbers, type Random, reshaped, sizeOf, type Tensor, tensor, toNumbers } from '@espalier/core';
import type { PlannedInput } from './input-plan.js';

const words = ['a', 'model', 'is', 'run', 'once', '1', '2.5'];

/** One tensor of a planned input; the same source gives the same tensor. */
export function fillTensor({ dtype, shape, fill }: PlannedInput, random: Random): Tensor {
  const count = sizeOf(shape);
  if (fill.kind === 'given') {
    const given = fill.tensor;
    return given.dtype === dtype
      ? reshaped(given, shape)
      : fromNumbers(dtype, shape, Float64Array.from(toNumbers(given)));
  }
  if (dtype === 'string') {
    return tensor(
      'string',
      shape,
      Array.from({ length: count }, () => words[random.below(words.length)]!),
    );
  }
  const values = new Float64Array(count);
  switch (fill.kind) {
    case 'constant':
      values.fill(fill.value);
      break;
    case 'positions': {
      const length = shape.at(-1) ?? 1;
      for (let i = 0; i < count; i++) values[i] = i % length;
      break;
    }
    case 'below':
      for (let i = 0; i < count; i++) values[i] = random.below(fill.below);
      break;
    case 'uniform':
      for (let i = 0; i < count; i++) values[i] = random.next() * fill.scale;
      break;
    default:
      for (let i = 0; i < count; i++) values[i] = fill.kind === 'normal' ? random.normal() * fill.scale : 0;
  }
  return fromNumbers(dtype, shape, values);
}
