/** The larger of two bigints, which `Math.max` does not take. */
export function larger(a: bigint, b: bigint): bigint {
  if (a > b) return a;
  return b;
}

/** The smaller of two bigints. */
export const smaller = (a: bigint, b: bigint): bigint => -larger(-a, -b);
