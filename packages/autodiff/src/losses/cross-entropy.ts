import { definePlugin, type GraphBuilder, int, longs, scalar, type ValueId } from '@espalier/core';
import { classTarget } from './class-target.js';

/**
 * Cross-entropy of logits [N, C] against class numbers (int64 [N]), with label smoothing ε:
 *
 *     mean over n of -(1 - ε) log p[n, target[n]] - ε mean over c of log p[n, c],   p = softmax(logits)
 *
 * (Szegedy et al. 2016, arXiv 1512.00567, section 7). log p comes from LogSoftmax, so large logits do not overflow.
 * For logits [[0, 0]] and target [0] it is ln 2.
 */
export const crossEntropy = /* @__PURE__ */ definePlugin({
  kind: 'loss',
  id: 'cross-entropy',
  about: 'Cross-entropy of logits against class numbers.',
  options: {
    labelSmoothing: {
      type: 'number',
      default: 0,
      min: 0,
      max: 1,
      about: 'share of the target spread over all classes',
    },
  },
  create: ({ labelSmoothing }) => ({
    reads: 'logits',
    target: (site) => classTarget(site, 'loss cross-entropy'),
    build: (b, { output, target }) => classLoss(b, { output, target, labelSmoothing }),
  }),
});

/** Adds the cross-entropy to a graph; see `crossEntropy`. */
export function classLoss(
  b: GraphBuilder,
  of: { readonly output: ValueId; readonly target: ValueId; readonly labelSmoothing: number },
): ValueId {
  const logs = b.add('LogSoftmax', [of.output], { attributes: { axis: int(1) } });
  const column = b.add('Unsqueeze', [of.target, b.constant('class_axis', classAxis)]);
  const mean = (value: ValueId) => b.add('ReduceMean', [value], { attributes: { keepdims: int(0) } });
  const chosen = mean(b.add('GatherElements', [logs, column], { attributes: { axis: int(1) } }));
  if (of.labelSmoothing === 0) return b.add('Neg', [chosen], { name: 'loss' });
  const times = (value: ValueId, factor: number) => b.add('Mul', [value, b.constant('share', scalar(factor))]);
  const kept = times(chosen, of.labelSmoothing - 1);
  return b.add('Sub', [kept, times(mean(logs), of.labelSmoothing)], { name: 'loss' });
}

const classAxis = /* @__PURE__ */ longs([1]);
