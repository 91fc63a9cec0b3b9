import { definePlugin } from '@espalier/core';
import { pruneUnits } from '../structured/prune-units.js';
import { unitOptions } from '../structured/unit-options.js';

/** Removes whole channels, neurons and heads. */
export const channelPruning = /* @__PURE__ */ definePlugin({
  kind: 'pruning',
  id: 'channel',
  about: 'Removes whole channels and neurons, and attention heads among them: the network is smaller and faster.',
  options: unitOptions,
  create: (options) => pruneUnits('channel', options),
});
