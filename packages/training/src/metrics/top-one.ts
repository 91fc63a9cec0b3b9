import { classRows } from './class-rows.js';
import type { Metric } from './metric.js';

/**
 * The share of rows whose largest score is that of the right class; of equal scores the first wins, and a row with
 * NaN is wrong. Scores `[[1, 3], [2, 0]]` with labels `[1, 1]` give 0.5.
 */
export const topOne: Metric = {
  name: 'top1',
  better: 'higher',
  sum(output, target) {
    const { values, labels, classes, perSample, stride, start } = classRows(output, target);
    let right = 0;
    for (let row = 0; row < labels.length; row++) {
      const at = start(row);
      const label = labels[row]!;
      const own = values[at + label * stride]!;
      let best = !Number.isNaN(own);
      for (let c = 0; c < classes && best; c++) {
        const value = values[at + c * stride]!;
        best = !(value > own || (value === own && c < label) || Number.isNaN(value));
      }
      if (best) right++;
    }
    return right / perSample;
  },
};
