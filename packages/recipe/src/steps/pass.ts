import { axisRulesOf } from '@espalier/ops';
import { defineStep } from './define-step.js';

/** `pass: ID`: a lossless rewrite. */
export const passStep = defineStep({
  kind: 'pass',
  options: {},
  async run(graph, { made: pass, context }) {
    const after = pass(graph, { axes: axisRulesOf(context.registry) });
    return { graph: after, notes: pass.explain?.(graph, after) ?? [] };
  },
});
