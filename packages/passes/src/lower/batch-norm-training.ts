import { float, floatOf, fromNumbers } from '@espalier/core';
import { loweringRefused } from '../errors.js';
import type { Lowering } from '../lowering.js';
import { alongAxis, type LoweringEmitter, loweringEmitter, reduceTo } from './lowering-emitter.js';

/**
 * `espalier::BatchNormTraining(x, scale, bias) -> (y, mean, variance)` normalises with the statistics of the batch:
 *
 *     y = (x - mean) scale / √(variance + epsilon) + bias
 *
 * with mean and (biased) variance [C] over all axes but 1 of x [N, C, ...] (Ioffe & Szegedy 2015, arXiv 1502.03167,
 * algorithm 1). Lowered to two reductions and a BatchNormalization of the inference form. The variance is the mean
 * square of x - mean: E x² - mean² is one pass less and loses all digits where the mean is large.
 */
export const lowerBatchNormTraining: Lowering = (node, context) => {
  const e = loweringEmitter(node, context);
  const x = e.input(0);
  const rank = e.shape(x).length;
  const mean = reduceTo(e, 'ReduceMean', { value: x, axis: 1 });
  const centred = e.emit('Sub', [x, alongAxis(e, mean, { axis: 1, rank })]);
  const squares = e.emit('Mul', [centred, centred]);
  const variance = reduceTo(e, 'ReduceMean', { value: squares, axis: 1 });
  e.finish(1, 'Identity', { inputs: [mean] });
  e.finish(2, 'Identity', { inputs: [variance] });
  e.finish(0, 'BatchNormalization', {
    inputs: [centred, e.input(1), e.input(2), perChannel(e, 0), variance],
    attributes: { epsilon: float(floatOf(node, 'epsilon', 1e-5)) },
  });
  return e.nodes;
};

/** A vector of one number per channel of input 0. @throws PASS_LOWERING when the channels are not known. */
export function perChannel(e: LoweringEmitter, value: number): string {
  const channels = e.shape(e.input(0))[1];
  if (typeof channels === 'number')
    return e.constant(fromNumbers('float32', [channels], new Float32Array(channels).fill(value)));
  throw loweringRefused(e.node, { expected: `known channels of "${e.input(0)}"`, found: `"${channels}"` });
}
