import { floats, type Tensor, tensor } from '@espalier/core';
import type { Weights } from '@espalier/training';
import type { QassoPlan } from './plan.js';

/** The states of a unit. */
export const unitStates = { kept: 0, redundant: 1, removed: 2 } as const;

/** The state of QASSO besides the weights. */
export interface QassoMemory {
  /** The state of every unit, by group. */
  readonly units: readonly Uint8Array[];
  /** The width of every quantizer once it is fixed; 0 before. */
  readonly widths: Float32Array;
}

const unitsKey = 'qasso.units';
const widthsKey = 'qasso.widths';

/** The memory from its tensors, or a fresh one where there are none. */
export function readMemory(
  memory: Weights,
  { groups, quantizers }: Pick<QassoPlan, 'groups' | 'quantizers'>,
): QassoMemory {
  const all = memory.get(unitsKey)?.data as Uint8Array | undefined; // written below
  const widths = memory.get(widthsKey)?.data as Float32Array | undefined;
  let at = 0;
  const units = groups.map(({ units: count }) => {
    const own = all ? all.slice(at, at + count) : new Uint8Array(count);
    at += count;
    return own;
  });
  return { units, widths: widths ? widths.slice() : new Float32Array(quantizers.length) };
}

/** The memory as tensors, which checkpoints keep. */
export function writeMemory({ units, widths }: QassoMemory): Weights {
  const all = new Uint8Array(units.reduce((sum, own) => sum + own.length, 0));
  let at = 0;
  for (const own of units) {
    all.set(own, at);
    at += own.length;
  }
  return new Map<string, Tensor>([
    [unitsKey, tensor('uint8', [all.length], all)],
    [widthsKey, floats(widths, [widths.length])],
  ]);
}

/** The units of a group in one state. */
export const unitsIn = (own: Uint8Array, state: number): readonly number[] =>
  [...own.keys()].filter((unit) => own[unit] === state);
