import { definePlugin } from '@espalier/core';
import { pruneUnits } from '../structured/prune-units.js';
import { unitOptions } from '../structured/unit-options.js';

/** Removes attention heads. */
export const headPruning = /* @__PURE__ */ definePlugin({
  kind: 'pruning',
  id: 'head',
  about: 'Removes attention heads, and nothing else.',
  options: unitOptions,
  create: (options) => pruneUnits('head', options),
});
