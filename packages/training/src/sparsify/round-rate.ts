import type { Schedule } from '@espalier/core';

/**
 * The learning rate of training in rounds: it follows its schedule over the steps before the rounds and the first one,
 * and every later round follows it again from where the rounds began: the rate that belongs to weights that were put
 * back there (Frankle et al. 2019, arXiv 1903.01611), and for weights that go on, learning rate rewinding (Renda et
 * al. 2020, arXiv 2003.02389).
 */
export const roundRate =
  (schedule: Schedule, { warm, round }: { readonly warm: number; readonly round: number }): Schedule =>
  (step, span) => {
    const within = round > 0 && step >= warm ? warm + ((step - warm) % round) : step;
    return schedule(within, span && { ...span, steps: Math.max(1, warm + round) });
  };
