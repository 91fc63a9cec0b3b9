import { type Collector, type Tensor, toFloats } from '@espalier/core';
import { channelsOf, checkedAxis } from './channels.js';
import { axisChanged, notFinite } from './errors.js';

/** Smallest and largest value per index of an axis: ReduceMin and ReduceMax over the other axes. Exact. */
export const collectChannelRange: Collector<'channelRange'> = {
  values: ({ value }) => [value],
  probe(need, statistics) {
    const { value } = need;
    const source = statistics.around(value, checkedAxis(need, statistics.model));
    let seen: { min: Float32Array; max: Float32Array } | undefined;
    return {
      fetch: [
        statistics.reduce('ReduceMin', source, { axes: [0, 2] }),
        statistics.reduce('ReduceMax', source, { axes: [0, 2] }),
        statistics.magnitude(value),
      ],
      add([low, high, magnitude]) {
        const [min, max] = [toFloats(low!), toFloats(high!)];
        const whole = min.every(Number.isFinite) && max.every(Number.isFinite);
        if (!whole || Number.isNaN(toFloats(magnitude!)[0])) {
          throw notFinite(statistics.model, value, 'NaN or infinity');
        }
        if (!seen) {
          seen = { min: min.slice(), max: max.slice() };
          return;
        }
        if (seen.min.length !== min.length) throw axisChanged(need, seen.min.length, min.length);
        for (let c = 0; c < min.length; c++) {
          seen.min[c] = Math.min(seen.min[c]!, min[c]!);
          seen.max[c] = Math.max(seen.max[c]!, max[c]!);
        }
      },
      answer: () => seen ?? { min: new Float32Array(), max: new Float32Array() },
    };
  },
  ofConstant: (need, tensor) => channelRangeOf(tensor, checkedAxis(need, undefined, tensor.shape.length)),
};

function channelRangeOf(tensor: Tensor, axis: number): { min: Float32Array; max: Float32Array } {
  const values = toFloats(tensor);
  const { outer, count, inner } = channelsOf(tensor.shape, axis);
  const min = new Float32Array(count).fill(Number.POSITIVE_INFINITY);
  const max = new Float32Array(count).fill(Number.NEGATIVE_INFINITY);
  for (let a = 0, i = 0; a < outer; a++) {
    for (let c = 0; c < count; c++) {
      for (let b = 0; b < inner; b++, i++) {
        const value = values[i]!;
        if (value < min[c]!) min[c] = value;
        if (value > max[c]!) max[c] = value;
      }
    }
  }
  return { min, max };
}
