import { type Rounded, type Rounding, type RoundingGrid, type RoundingProblem, roundWeights } from '@espalier/core';
import { fittedGrids } from '../roundings/fitted-grids.js';
import { nearestCodes } from '../roundings/nearest-rounding.js';
import type { LayerMatrix } from './layer-matrix.js';
import type { GridChoice } from './round-node.js';

/** The inputs of one group of a layer, as far as they are known. */
export interface LayerInputs {
  /** [size, size]; empty where the rounding does without. */
  readonly gram?: Float64Array | undefined;
  readonly magnitude?: Float64Array | undefined;
  /** The diagonal alone, where XᵀX would have been too large. */
  readonly energy?: Float64Array | undefined;
}

/** The problems of a layer, one for each group: rows of other groups multiply other inputs. */
export function layerProblems(
  { groups, rows, size }: LayerMatrix,
  choice: GridChoice,
  { weight, inputs }: { readonly weight: Float64Array; readonly inputs: (group: number) => LayerInputs },
): readonly RoundingProblem[] {
  const part = rows / groups;
  const per = Math.ceil(size / choice.group);
  return Array.from({ length: groups }, (_, g): RoundingProblem => {
    const { gram = new Float64Array(), magnitude } = inputs(g);
    return {
      weight: groups === 1 ? weight : weight.slice(g * part * size, (g + 1) * part * size),
      rows: part,
      size,
      gram,
      ...(magnitude ? { magnitude } : {}),
      group: choice.group,
      grids: choice.grids.slice(g * part * per, (g + 1) * part * per),
      ...(choice.free ? { free: choice.free } : {}),
    };
  });
}

/** Rounds a layer group by group. Where only energies are known, grids are fitted by them and each weight goes to the nearest point: all that a diagonal XᵀX can say. */
export function roundLayer(
  rounding: Rounding,
  problems: readonly RoundingProblem[],
  energyOf: (group: number) => Float64Array | undefined,
): Rounded {
  const parts = problems.map((problem, g) => {
    const energy = energyOf(g);
    if (!energy) return roundWeights(rounding, problem);
    const grids = fittedGrids(problem, energy);
    return { codes: nearestCodes({ ...problem, grids }), grids };
  });
  if (parts.length === 1) return parts[0]!;
  const codes = new Int32Array(parts.reduce((sum, part) => sum + part.codes.length, 0));
  const grids: RoundingGrid[] = [];
  let at = 0;
  for (const part of parts) {
    codes.set(part.codes, at);
    at += part.codes.length;
    for (const grid of part.grids) grids.push(grid);
  }
  return { codes, grids };
}
