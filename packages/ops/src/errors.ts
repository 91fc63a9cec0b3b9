import { problem } from '@espalier/core';

/** The error for two plugins that say how the axes of one op relate. */
export const twoAxisRules = (op: string) =>
  problem('PLUGIN_DUPLICATE', {
    where: `axes "${op}"`,
    expected: 'one plugin that says how the axes of an op relate',
    found: 'two',
    fix: 'Leave one of the packages out.',
    details: { op },
  });

/** A matrix that should be XᵀX has negative eigenvalues or is not symmetric. */
export const gramIndefinite = (found: string) =>
  problem('LAYER_GRAM', {
    where: 'layer, gram',
    expected: 'a symmetric positive semidefinite XᵀX',
    found,
    fix: 'Collect it again, from more samples or in float64.',
  });
