import { resolveReference } from '@espalier/core';
import { axisRulesOf } from '@espalier/ops';
import type { StepKind } from '../step.js';

/** `pass: ID`: a lossless rewrite. */
export const passStep: StepKind = {
  kind: 'pass',
  options: {},
  async run(graph, { reference, where }, { registry }) {
    const pass = resolveReference(registry, { kind: 'pass', reference, where });
    const after = pass(graph, { axes: axisRulesOf(registry) });
    return { graph: after, notes: pass.explain?.(graph, after) ?? [] };
  },
};
