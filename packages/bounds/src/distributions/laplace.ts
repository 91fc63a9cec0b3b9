import type { Distribution, MomentOrder } from './distribution.js';

/**
 * The Laplace distribution with density e^(-|x|/s) / 2s; variance 2s², so s = 1/√2 for variance 1. With r = x/s >= 0
 * the partial moments are ½ sᵏ (k! - e^(-r) Σ_j k!/j! rʲ), j = 0..k.
 */
export const laplace = (s: number): Distribution => ({
  name: 'Laplace',
  limit: Number.POSITIVE_INFINITY,
  moment: (order, x) => {
    const r = Math.abs(x) / s;
    const decay = Math.exp(-r);
    const rest = decay === 0 ? 0 : decay * polynomial(order, r);
    const moment = (s ** order * (factorials[order] - rest)) / 2;
    return order === 1 ? moment : Math.sign(x) * moment;
  },
});

const factorials = { 0: 1, 1: 1, 2: 2, 4: 24 } as const satisfies Record<MomentOrder, number>;

function polynomial(order: MomentOrder, r: number): number {
  switch (order) {
    case 0:
      return 1;
    case 1:
      return r + 1;
    case 2:
      return (r + 2) * r + 2;
    case 4:
      return (((r + 4) * r + 12) * r + 24) * r + 24;
  }
}
