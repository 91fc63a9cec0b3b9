/** Bounds of a signal-to-noise ratio in decibels: what stands for "equal" and for "nothing left of it". */
export const snrLimits = { highest: 300, lowest: -300 } as const;

/** 10·log₁₀(signal / noise) of two sums of squares, kept within `snrLimits`. */
export function decibels(signal: number, noise: number): number {
  if (noise === 0) return snrLimits.highest;
  if (signal === 0) return snrLimits.lowest;
  const ratio = 10 * (Math.log10(signal) - Math.log10(noise));
  if (Number.isNaN(ratio)) return snrLimits.lowest; // both sums beyond float64
  return Math.min(snrLimits.highest, Math.max(snrLimits.lowest, ratio));
}
