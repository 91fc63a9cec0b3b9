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
