import { type DType, isInteger } from '@espalier/core';
import { crossEntropyMetric } from './cross-entropy.js';
import type { Metric } from './metric.js';
import { squaredErrorMetric } from './squared-error.js';
import { topOne } from './top-one.js';

/** Accuracy and cross-entropy for targets that are class indices, the squared error for all others. */
export const defaultMetrics = (target: DType): readonly Metric[] =>
  isInteger(target) ? [topOne, crossEntropyMetric] : [squaredErrorMetric];
