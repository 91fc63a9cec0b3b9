import { classRows } from './class-rows.js';
import type { Metric } from './metric.js';

/**
 * The mean of -ln softmax(scores)[label] in nats, scores being logits; computed in float64 with the largest score
 * taken out first. Scores `[[0, 0]]` give ln 2 = 0.6931 for either label.
 */
export const crossEntropyMetric: Metric = {
  name: 'loss',
  better: 'lower',
  sum(output, target) {
    const { values, labels, classes, perSample, stride, start } = classRows(output, target);
    let total = 0;
    for (let row = 0; row < labels.length; row++) {
      const at = start(row);
      let most = Number.NEGATIVE_INFINITY;
      for (let c = 0; c < classes; c++) most = Math.max(most, values[at + c * stride]!);
      let exponentials = 0;
      for (let c = 0; c < classes; c++) exponentials += Math.exp(values[at + c * stride]! - most);
      total += Math.log(exponentials) + most - values[at + labels[row]! * stride]!;
    }
    return total / perSample;
  },
};
