import type { StepKind } from '../step.js';
import { compress } from './compress-step.js';
import { referenceWithOptions } from './reference-with-options.js';

/** `quantize: ID`: asks the quantizer what it needs, collects it in one calibration run, and quantizes. */
export const quantizeStep: StepKind = {
  kind: 'quantizer',
  options: {},
  run(graph, { reference, where }, context) {
    const { plugin } = referenceWithOptions(context.registry, {
      kind: 'quantizer',
      driver: {},
      reference,
      where,
      seed: context.seed,
    });
    return compress(graph, plugin, { where, stage: 'quantize', context });
  },
};
