import { badOption, type Rounding } from '@espalier/core';
import { descent, gptq, nearest } from '@espalier/quantizers';
import type { Certificates } from './judge-quantization.js';
import type { LayerRangeOptions } from './layer-range.js';

/** The roundings that are tried unless others are given, by name. */
export const builtInRoundings = (): Readonly<Record<string, Rounding>> => ({
  nearest: nearest(),
  gptq: gptq(),
  descent: descent(),
});

const defaults = { bits: [2, 3, 4, 5, 6, 7, 8], nodes: 2000, gap: 0.02 } as const;

/** Options with their defaults. @throws OPTION_INVALID. */
export function layerOptions(options: LayerRangeOptions) {
  const { bits = defaults.bits, form = 'full', granularity = 'tensor', chunk = 36, samples = 24 } = options;
  const { bounds = true, roundings = builtInRoundings(), nodes = defaults.nodes, gap = defaults.gap } = options;
  for (const each of bits) {
    if (!(Number.isInteger(each) && each >= 2 && each <= 15)) {
      throw badOption('bits', { expected: 'whole numbers from 2 to 15', found: each });
    }
  }
  const whole = { chunk, samples, nodes };
  for (const [name, value] of Object.entries(whole)) {
    const least = name === 'nodes' ? 0 : 1;
    if (Number.isInteger(value) && value >= least) continue;
    throw badOption(name, { expected: `a whole number of ${least} or more`, found: value });
  }
  if (!(gap >= 0 && gap < 1)) throw badOption('gap', { expected: 'a share from 0 up to 1', found: gap });
  if (Object.keys(roundings).length === 0) {
    throw badOption('roundings', { expected: 'at least one algorithm', found: 'none' });
  }
  const { milliseconds } = options;
  const certify: Certificates = bounds
    ? { nodes, gap, ...(milliseconds === undefined ? {} : { milliseconds }) }
    : undefined;
  return { bits, form, granularity, chunk, samples, roundings, certify };
}
