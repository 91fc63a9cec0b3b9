import { createRandom } from '@espalier/core';

/** Which samples each step of a run sees. */
export interface BatchOrder {
  readonly stepsPerEpoch: number;
  /** The epoch of a step and the indices of its samples, both a function of the seed and the step alone. */
  at(step: number): { readonly epoch: number; readonly samples: readonly number[] };
}

/**
 * The order of a run: every epoch goes through the data set once in an order of its own, and what does not fill a
 * last batch is left out of that epoch. A resumed run recomputes the order, so nothing has to be saved.
 */
export function batchOrder({
  size,
  batch,
  seed,
}: {
  readonly size: number;
  readonly batch: number;
  readonly seed: number;
}): BatchOrder {
  const stepsPerEpoch = Math.floor(size / batch);
  const random = createRandom(seed);
  let known: { readonly epoch: number; readonly order: Uint32Array } = { epoch: -1, order: new Uint32Array() };
  return {
    stepsPerEpoch,
    at(step) {
      const epoch = Math.floor(step / stepsPerEpoch);
      if (known.epoch !== epoch) known = { epoch, order: random.fork(`shuffle ${epoch}`).permutation(size) };
      const from = (step % stepsPerEpoch) * batch;
      return { epoch, samples: Array.from(known.order.subarray(from, from + batch)) };
    },
  };
}
