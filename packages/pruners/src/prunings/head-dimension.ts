import { definePlugin } from '@espalier/core';
import { pruneUnits } from '../structured/prune-units.js';
import { unitOptions } from '../structured/unit-options.js';

/** Removes the same places of all heads of an attention. */
export const headDimensionPruning = /* @__PURE__ */ definePlugin({
  kind: 'pruning',
  id: 'head-dimension',
  about: 'Removes the same places of all heads of an attention: as many heads, each smaller.',
  options: unitOptions,
  create: (options) => pruneUnits('head-dimension', options),
});
