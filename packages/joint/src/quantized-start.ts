import { type CalibrationRun, calibrate } from '@espalier/calibration';
import type { Graph } from '@espalier/core';
import { learnedQuantizer } from '@espalier/quantizers';
import type { GetaOptions } from './geta-options.js';
import { parameterize } from './parameterize.js';

/** The options that decide the quantizers of a graph. */
export type QuantizerChoice = Pick<GetaOptions, 'granularity' | 'ignore' | 'activations' | 'exponent' | 'startBits'>;

/**
 * The model with a parameterized quantizer in every place where the static quantizer has integers. Activations begin
 * with the ranges that data show.
 */
export async function quantizedStart(
  given: Graph,
  { granularity, ignore, activations, exponent, startBits }: QuantizerChoice,
  run: Pick<CalibrationRun, 'executor' | 'batches'>,
): Promise<Graph> {
  const choice = { weights: { granularity, start: 'minmax' }, activations: { start: 'minmax' }, ignore } as const;
  const compression = learnedQuantizer(choice)(given);
  const evidence = await calibrate(compression.graph, compression.needs, run);
  return parameterize(compression.apply(evidence).graph, {
    bits: { weights: startBits, activations: Math.max(activations.max, 8) },
    activations: activations.quantize,
    exponent,
  });
}
