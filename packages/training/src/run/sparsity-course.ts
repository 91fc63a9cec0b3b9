import type { Phase } from '@espalier/schedules';
import { rampSparsity } from './ramp-sparsity.js';

/** The sparsity in the course of a run. */
export interface SparsityCourse {
  /** Where it ends; undefined where nothing is pruned. */
  readonly goal: number | undefined;
  /** Whether it ever falls, so that pruned weights return. */
  readonly falls: boolean;
  /** Index of the first phase after the last one that prunes. */
  readonly settled: number;
}

/** Differences of sparsity that are rounding and nothing else. */
export const sparsityNoise = 1e-9;

/** Every sparsity that the phases ask for, in order, looked at as the run will look at it. */
export function sparsityCourse(
  phases: readonly Phase[],
  of: { readonly order: { readonly stepsPerEpoch: number } },
): SparsityCourse {
  let [goal, falls, settled]: [number | undefined, boolean, number] = [undefined, false, 0];
  const asked = (sparsity: number, phase: number) => {
    falls ||= sparsity < (goal ?? 0) - sparsityNoise;
    [goal, settled] = [sparsity, phase + 1];
  };
  for (const [i, phase] of phases.entries()) {
    if (phase.do === 'prune') asked(phase.sparsity, i);
    if (phase.do !== 'ramp') continue;
    for (let step = 0; step < phase.steps; step += phase.every) asked(rampSparsity(phase, step, of), i);
  }
  return { goal, falls, settled };
}
