import { intsOf, type Tensor } from '@espalier/core';
import type { Call } from './evaluator.js';
import { wholeNumbersOf } from './numeric.js';

/** Whole numbers that older opsets carry as an attribute and newer ones as an input: `axes`, `pads`, `split`. */
export type Listed = readonly number[] | 'absent' | 'unknown';

/** Reads such a list from input `slot` or the attribute. `unknown`: the input is there but cannot be read. */
export function listedOf(call: Call, slot: number, name: string): Listed {
  if (call.node.inputs[slot] !== undefined) return wholeNumbersOf(call.inputs[slot]) ?? 'unknown';
  return intsOf(call.node, name, undefined) ?? 'absent';
}

/** The inputs when every one is there. */
export const allOf = (inputs: readonly (Tensor | undefined)[]): readonly Tensor[] | undefined =>
  inputs.every((each): each is Tensor => each !== undefined) ? inputs : undefined;
