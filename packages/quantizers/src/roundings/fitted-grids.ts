import type { RoundingGrid, RoundingProblem } from '@espalier/core';
import { fitGrid } from './fit-grid.js';

/**
 * The grids of a problem, each fitted to its weights where the problem leaves that free: errors count by the energy of
 * their inputs (the diagonal of XᵀX), or all alike where no inputs were looked at.
 */
export function fittedGrids(problem: RoundingProblem, energies = diagonalOf(problem)): readonly RoundingGrid[] {
  const { weight, size, group = size, grids, free } = problem;
  if (!free) return grids;
  const energy = energies.slice();
  const mean = energy.reduce((sum, each) => sum + each, 0) / size || 1;
  for (let i = 0; i < size; i++) energy[i]! += 0.01 * mean; // inputs that were always 0 may not stay so
  const groups = Math.ceil(size / group);
  return grids.map((grid, at) => {
    const from = (at % groups) * group;
    const to = Math.min(size, from + group);
    const base = Math.floor(at / groups) * size;
    const sample = { weight: weight.subarray(base + from, base + to), importance: energy.subarray(from, to) };
    return fitGrid(sample, grid, free);
  });
}

const diagonalOf = ({ gram, size }: RoundingProblem): Float64Array =>
  Float64Array.from({ length: size }, (_, i) => (gram.length > 0 ? gram[i * size + i]! : 1));

/** The problem with such grids, and no choice left. */
export function withFittedGrids(problem: RoundingProblem): RoundingProblem {
  const { free: _, ...rest } = problem;
  return { ...rest, grids: fittedGrids(problem) };
}
