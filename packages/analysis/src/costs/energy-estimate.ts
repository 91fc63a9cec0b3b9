import type { Costs } from './costs.js';

/**
 * Picojoules in a 45 nm process at 0.9 V (Horowitz 2014, "Computing's energy problem", ISSCC, DOI
 * 10.1109/ISSCC.2014.6757323, figure 1.1.9). Memory figures are for 64 bits.
 */
export const horowitz45nm = {
  multiply: { int8: 0.2, int32: 3.1, float16: 1.1, float32: 3.7 },
  add: { int8: 0.03, int32: 0.1, float16: 0.4, float32: 0.9 },
  /** A read of 64 bits from on-chip memory of 8 kB, 32 kB and 1 MB. */
  cache64: { '8kB': 10, '32kB': 20, '1MB': 100 },
  /** A read of 64 bits from DRAM: 1.3 to 2.6 nJ; its lower end. */
  dram64: 1300,
} as const;

/** Energy of one run of one sample, by a model: no chip was measured. */
export interface EnergyEstimate {
  /** The source of the figures, to be shown beside them. */
  readonly model: 'Horowitz 2014, 45 nm';
  /** Multiply-accumulates. */
  readonly computeUj: number;
  /** Each weight read once from DRAM. */
  readonly weightsUj: number;
  /** Each activation written once to on-chip memory of 1 MB and read once. */
  readonly activationsUj: number;
  readonly totalUj: number;
  /** Nodes whose MACs, widths or output sizes are not known; they are not in the sums. */
  readonly unknown: readonly string[];
}

const perMicrojoule = 1e6;

/**
 * Picojoules of one multiply-accumulate. Both operands float: the wider of the two decides, 1.1 + 0.4 for 16 bits and
 * 3.7 + 0.9 for 32. Both at most 8 bits: an integer product, 0.2 · b_w·b_a / 64 (the area of a multiplier, and its
 * energy, go with the product of the widths: 32 bits cost 15.5 times as much as 8) plus a 32-bit addition, 0.1. With
 * only the weights narrow they are widened first, so the wider operand decides. 8 by 8 bits: 0.3 pJ; float32: 4.6 pJ.
 */
export function macPicojoules(weightBits: number, activationBits: number): number {
  const { multiply, add } = horowitz45nm;
  const wider = Math.max(weightBits, activationBits);
  if (wider <= 8) return (multiply.int8 * weightBits * activationBits) / 64 + add.int32;
  return wider <= 16 ? multiply.float16 + add.float16 : multiply.float32 + add.float32;
}

/**
 * A model of the energy of one run: compute, weights from DRAM, activations through on-chip memory. It ranks designs;
 * it does not predict a machine: caches, control, idle power and later processes are left out. A model of 4.6 million
 * float32 MACs and nothing else has 21.16 µJ of compute.
 */
export function energyEstimate(costs: Costs): EnergyEstimate {
  const { cache64, dram64 } = horowitz45nm;
  const unknown: string[] = [];
  let [compute, activations] = [0, 0];
  for (const { node, macs, weightBits, activationBits, outputBytes } of costs.nodes) {
    const widths = weightBits !== undefined && activationBits !== undefined;
    if (macs === undefined || (macs > 0 && !widths) || outputBytes === undefined) unknown.push(node);
    if (macs !== undefined && widths) compute += macs * macPicojoules(weightBits, activationBits);
    activations += ((outputBytes ?? 0) / 8) * 2 * cache64['1MB'];
  }
  const weights = (costs.bytes / 8) * dram64;
  return {
    model: 'Horowitz 2014, 45 nm',
    computeUj: compute / perMicrojoule,
    weightsUj: weights / perMicrojoule,
    activationsUj: activations / perMicrojoule,
    totalUj: (compute + weights + activations) / perMicrojoule,
    unknown,
  };
}
