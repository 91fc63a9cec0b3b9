/** A number of channels times the width factor, to the nearest whole number and at least 1. */
export const scaleChannels = (channels: number, width: number): number => Math.max(1, Math.round(channels * width));

/**
 * The nearest multiple of 8 that is not below 90 % of the scaled number, and at least 8 (Sandler et al. 2018, arXiv
 * 1801.04381, in their published code): `scaleToEights(24, 0.5)` is 16.
 */
export function scaleToEights(channels: number, width: number): number {
  const wanted = channels * width;
  const rounded = Math.max(8, Math.floor((wanted + 4) / 8) * 8);
  return rounded < 0.9 * wanted ? rounded + 8 : rounded;
}
