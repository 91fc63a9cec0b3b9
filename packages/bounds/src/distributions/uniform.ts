import type { Distribution } from './distribution.js';

/** The uniform distribution on (-a, a); variance a²/3. Partial moments xᵏ⁺¹ / (2a(k+1)). */
export const uniform = (a: number): Distribution => ({
  name: 'uniform',
  limit: a,
  moment: (order, x) => Math.max(-a, Math.min(a, x)) ** (order + 1) / (2 * a * (order + 1)),
});
