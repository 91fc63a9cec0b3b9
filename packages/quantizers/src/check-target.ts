import type { Grid, Target, TargetCodes } from '@espalier/core';
import { beyondTarget } from './errors.js';
import { storageOf } from './grid.js';

/** The codes of a grid as a target reads them. @throws OPTION_INVALID where it does not. */
export function codesOn(
  target: Target,
  grid: Grid,
  { where, of }: { readonly where: string; readonly of: 'activations' | 'weights' },
): TargetCodes {
  const type = storageOf(grid);
  const known = target.integer[of];
  const codes = known.find((each) => each.type === type);
  if (!codes) {
    const types = known.map((each) => each.type).join(', ');
    throw beyondTarget(target, { where, expected: `${of} in ${types || 'floats only'}`, found: type });
  }
  if (codes.zeroPoint === 'middle' && !grid.symmetric) {
    throw beyondTarget(target, {
      where,
      expected: `symmetric ${of} in ${type}`,
      found: 'any zero point',
      fix: 'Set symmetric to true.',
    });
  }
  return codes;
}

/** @throws OPTION_INVALID where a target does not know an operator set. */
export function checkOpset(target: Target, opset: number, where: string): void {
  const newest = target.opsets.get('') ?? 0;
  if (opset <= newest) return;
  throw beyondTarget(target, { where, expected: `at most opset ${newest}`, found: `options that need opset ${opset}` });
}

/** The forms that are written as a packed op. */
export interface PackedChoice {
  readonly where: string;
  readonly grid: Grid;
  readonly block: number;
}

/** @throws OPTION_INVALID where a target has no such packed op, or not for this grid and block. */
export function checkPacked(target: Target, op: string, { where, grid, block }: PackedChoice): void {
  const kernel = Object.hasOwn(target.packed, op) ? target.packed[op] : undefined;
  if (!kernel) throw beyondTarget(target, { where, expected: 'ops that it has', found: op });
  if (!kernel.bits.includes(grid.bits)) {
    throw beyondTarget(target, { where, expected: `${kernel.bits.join(', ')} bits for ${op}`, found: `${grid.bits}` });
  }
  if (!kernel.blocks.includes(block)) {
    throw beyondTarget(target, {
      where,
      expected: `blocks of ${kernel.blocks.join(', ')} for ${op}`,
      found: `${block}`,
    });
  }
  if (!kernel.zeroPoints && !grid.symmetric) {
    throw beyondTarget(target, { where, expected: `symmetric weights for ${op}`, found: 'zero points' });
  }
}
