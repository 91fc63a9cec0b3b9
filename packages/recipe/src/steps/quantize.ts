import { inferShapes } from '@espalier/ops';
import type { StepKind } from '../step.js';
import { collectEvidence } from './collect-evidence.js';
import { referenceWithOptions } from './reference-with-options.js';

/** `quantize: ID`: asks the quantizer what it needs, collects it in one calibration run, and quantizes. */
export const quantizeStep: StepKind = {
  kind: 'quantizer',
  options: {},
  async run(graph, { reference, where }, context) {
    const { plugin } = referenceWithOptions(context.registry, {
      kind: 'quantizer',
      driver: {},
      reference,
      where,
      seed: context.seed,
    });
    const typed = inferShapes(graph);
    const evidence = await collectEvidence(typed, plugin.needs(typed), { where, context });
    context.progress('quantize');
    return plugin.quantize(typed, evidence);
  },
};
