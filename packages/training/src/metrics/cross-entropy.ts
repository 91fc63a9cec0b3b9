import { crossEntropyOf } from '@espalier/analysis';
import type { Metric } from './metric.js';
import { sampleRows } from './sample-rows.js';

/** The mean of -ln softmax(scores)[label] in nats, scores being logits. */
export const crossEntropyMetric: Metric = {
  name: 'loss',
  better: 'lower',
  sum(output, target) {
    const rows = sampleRows(output, target);
    let total = 0;
    for (let row = 0; row < rows.labels.length; row++) total += crossEntropyOf(rows, row);
    return total / rows.perSample;
  },
};
