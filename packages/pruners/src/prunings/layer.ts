import { definePlugin } from '@espalier/core';
import { layerOptions } from '../layers/layer-options.js';
import { pruneLayers } from '../layers/prune-layers.js';

/** Removes residual branches. */
export const layerPruning = /* @__PURE__ */ definePlugin({
  kind: 'pruning',
  id: 'layer',
  about: 'Removes whole residual branches: the network has fewer layers.',
  options: layerOptions,
  create: pruneLayers,
});
