import type { Grid } from '@espalier/core';

/**
 * The codes of a learned weight: all of them below 7 bits, where each counts, and from 7 bits on as many below zero as
 * above, so that a negative factor of a batch norm can turn them around within int8.
 */
export const weightLattice = (bits: number): Grid => ({ bits, signed: true, symmetric: true, narrow: bits >= 7 });

/** The codes of a learned activation: unsigned, any zero point. */
export const activationLattice = (bits: number): Grid => ({ bits, signed: false, symmetric: false });
