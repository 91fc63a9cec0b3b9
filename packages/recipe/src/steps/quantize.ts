import { compress } from './compress-step.js';
import { defineStep } from './define-step.js';

/** `quantize: ID`: asks the quantizer what it needs, collects it in one calibration run, and quantizes. */
export const quantizeStep = defineStep({
  kind: 'quantizer',
  options: {},
  run: (graph, { made, ...work }) => compress(graph, made, { ...work, stage: 'quantize' }),
});
