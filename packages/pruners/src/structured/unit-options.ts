import type { Options, Resolved } from '@espalier/core';

/** Options of the prunings that remove units: `channel`, `head` and `head-dimension`. */
export const unitOptions = {
  pruner: { type: 'plugin', kind: 'pruner', default: 'magnitude', about: 'the scores of units, or of their weights' },
  sparsity: { type: 'number', default: 0.5, min: 0, max: 1, about: 'the share that is removed' },
  goal: {
    type: 'choice',
    of: ['units', 'parameters', 'macs', 'bytes'],
    default: 'units',
    about: 'what `sparsity` is the share of',
  },
  scope: {
    type: 'choice',
    of: ['layer', 'global', 'isomorphic'],
    default: 'layer',
    about:
      'whether every group of units gets the sparsity, or all of them together; `isomorphic`: all groups of the same structure together',
  },
  normalize: {
    formerly: 'normalizeGroups',
    type: 'choice',
    of: ['none', 'mean', 'max', 'l2'],
    default: 'mean',
    when: { scope: ['global', 'isomorphic'] },
    about: 'what the scores of a group are divided by',
  },
  multiple: {
    type: 'integer',
    default: 8,
    min: 1,
    max: 256,
    about: 'widths stay multiples of this, as kernels of runtimes compute in blocks of 8 or 16; 1 for any width',
  },
  minimum: {
    type: 'number',
    default: 1,
    min: 0,
    about: 'the fewest units left of a group, or the share of them if below 1',
  },
  weights: {
    type: 'choice',
    of: ['all', 'producers', 'batch-norm'],
    default: 'all',
    about: 'which weights of a unit count for its score',
  },
  reduce: {
    type: 'choice',
    of: ['sum', 'mean', 'max'],
    default: 'sum',
    about: 'how the scores of its weights become the score of a unit',
  },
  statistics: {
    type: 'boolean',
    default: false,
    about: 'cut through layer and group norms too; the network then needs training',
  },
  only: {
    type: 'texts',
    default: [],
    about: 'patterns of groups, weight names or node ids to prune (* and ?); empty for all',
  },
  ignore: { type: 'texts', default: [], about: 'patterns of groups, weight names or node ids to leave (* and ?)' },
  overrides: {
    type: 'pairs',
    of: { type: 'number', min: 0, max: 1 },
    default: [],
    about: 'shares of their units that some groups lose apart from the goal, later ones first: `layer1.*=0.25`',
  },
  reconstruct: {
    type: 'boolean',
    default: true,
    about:
      'fit the layers that lost inputs to what the network computed before, on the calibration data, where it is given',
  },
  reestimate: {
    type: 'choice',
    of: ['auto', 'always', 'never'],
    default: 'auto',
    about:
      'whether batch norms are measured again on the calibration data, where it is given; `auto`: unless layers were fitted by `reconstruct`, which keep to the statistics there are',
  },
} as const satisfies Options;

/** Options of a pruning that removes units, with every default filled in. */
export type UnitOptions = Resolved<typeof unitOptions>;

/** A sort of unit: a channel or neuron, an attention head, or the same place of all heads of an attention. */
export type UnitGranularity = 'channel' | 'head' | 'head-dimension';
