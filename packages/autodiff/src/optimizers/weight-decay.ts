import { type GraphBuilder, scalar, type Tensor, type ValueId } from '@espalier/core';

/** Adds the term of weight decay for a parameter whose own factor on it is `decay`; undefined where it does not decay. */
export type WeightDecay = (b: GraphBuilder, parameter: ValueId, decay: number) => ValueId | undefined;

/** λ · decay · w as a graph, each factor a constant once. */
export function createWeightDecay(lambda: number): WeightDecay {
  const rates = new Map<number, Tensor>();
  return (b, parameter, decay) => {
    if (!(lambda * decay > 0)) return undefined;
    const rate = rates.get(decay) ?? scalar(lambda * decay);
    rates.set(decay, rate);
    return b.add('Mul', [parameter, b.constant(decay === 1 ? 'weight_decay' : `weight_decay_${decay}`, rate)]);
  };
}
