import type { Grid, GridFreedom, Rounded, RoundingGrid } from '@espalier/core';
import { levelsOf } from '../grid.js';
import type { Scales } from '../scales.js';
import type { GridChoice } from './round-node.js';

/** Where the scale of a group of a row stands among the scales of a tensor. */
export interface ScalePlaces {
  readonly rows: number;
  /** Groups of a row. */
  readonly groups: number;
  /** Weights of a group. */
  readonly group: number;
  at(row: number, group: number): number;
}

/** Scales as grids of a rounding. `free` is left out where rows share a scale. */
export function gridChoice(scales: Scales, places: ScalePlaces, { grid, free }: GridLimits): GridChoice {
  const { low, high } = levelsOf(grid);
  const { rows, groups, group } = places;
  const grids: RoundingGrid[] = [];
  for (let row = 0; row < rows; row++) {
    for (let g = 0; g < groups; g++) {
      const at = places.at(row, g);
      const zero = scales.zeroPoint[at]!;
      grids.push({ step: scales.scale[at]!, lowest: low - zero, highest: high - zero });
    }
  }
  return { group, grids, ...(free ? { free } : {}) };
}

/** The integers of a quantizer, and what of them a rounding may choose. */
export interface GridLimits {
  readonly grid: Grid;
  readonly free?: GridFreedom | undefined;
}

/** The scales of the grids that a rounding chose, where the given ones stood. */
export function scalesOfRounded(
  given: Scales,
  { grids }: Rounded,
  { places, grid }: { readonly places: ScalePlaces; readonly grid: Grid },
): Scales {
  const { low } = levelsOf(grid);
  const scale = given.scale.slice();
  const zeroPoint = given.zeroPoint.slice();
  for (let row = 0; row < places.rows; row++) {
    for (let g = 0; g < places.groups; g++) {
      const { step, lowest } = grids[row * places.groups + g]!;
      const at = places.at(row, g);
      scale[at] = step;
      zeroPoint[at] = low - lowest;
    }
  }
  return { scale, zeroPoint };
}
