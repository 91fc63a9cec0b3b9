import { type Tensor, toNumbers } from '@espalier/core';
import { badTargets } from '../errors.js';
import type { Metric } from './metric.js';

/** The mean of (output - target)² over the elements of a sample. `[[1, 3]]` against `[[0, 1]]` gives 2.5. */
export const squaredErrorMetric: Metric = {
  name: 'loss',
  better: 'lower',
  sum(output, target) {
    const [a, b] = [numbers(output), numbers(target)];
    if (a.length !== b.length || output.shape[0] !== target.shape[0]) {
      throw badTargets(`values ${describe(output)} like the output's`, describe(target));
    }
    let total = 0;
    for (let i = 0; i < a.length; i++) total += (a[i]! - b[i]!) ** 2;
    return (total * (output.shape[0] ?? 1)) / Math.max(1, a.length);
  },
};

const numbers = (of: Tensor): ArrayLike<number> => (of.dtype === 'float32' ? of.data : toNumbers(of));
const describe = ({ dtype, shape }: Tensor): string => `${dtype}[${shape.join(',')}]`;
