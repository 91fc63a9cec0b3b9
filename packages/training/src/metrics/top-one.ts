import { rankOf } from '@espalier/analysis';
import type { Metric } from './metric.js';
import { sampleRows } from './sample-rows.js';

/**
 * The share of rows whose largest score is that of the right class. Scores `[[1, 3], [2, 0]]` with labels `[1, 1]`
 * give 0.5.
 */
export const topOne: Metric = {
  name: 'top1',
  better: 'higher',
  sum(output, target) {
    const rows = sampleRows(output, target);
    let right = 0;
    for (let row = 0; row < rows.labels.length; row++) if (rankOf(rows, row) === 0) right++;
    return right / rows.perSample;
  },
};
