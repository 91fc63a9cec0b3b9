import { type Options, problem, type Resolved } from '@espalier/core';
import { pruneOptions } from '@espalier/pruners';

const ownOptions = {
  goal: {
    type: 'choice',
    of: ['units', 'parameters', 'macs', 'bytes'],
    default: 'units',
    about:
      'with `granularity: channel`, `head` or `layer`, what `sparsity` is the share of; the units of `layer` are residual branches',
  },
  multiple: {
    type: 'integer',
    default: 1,
    min: 1,
    max: 256,
    about: 'with `granularity: channel` or `head`, widths stay multiples of this; 8 or 16 suit most runtimes',
  },
  minimum: {
    type: 'number',
    default: 1,
    min: 0,
    about: 'with `granularity: channel` or `head`, the fewest units left of a group, or the share of them if below 1',
  },
  weights: {
    type: 'choice',
    of: ['all', 'producers', 'batch-norm'],
    default: 'all',
    about: 'with `granularity: channel` or `head`, which weights of a unit count for its score',
  },
  reduce: {
    type: 'choice',
    of: ['sum', 'mean', 'max'],
    default: 'sum',
    about: 'with `granularity: channel` or `head`, how the scores of its weights become the score of a unit',
  },
  normalizeGroups: {
    type: 'choice',
    of: ['none', 'mean', 'max', 'l2'],
    default: 'mean',
    about: 'with `granularity: channel` and another scope than `layer`, what the scores of a group are divided by',
  },
  statistics: {
    type: 'boolean',
    default: false,
    about:
      'with `granularity: channel` or `head`, cut through layer and group norms too; the network then needs training',
  },
  reconstruct: {
    type: 'boolean',
    default: true,
    about:
      'with `granularity: channel` or `head`, fit the layers that lost inputs to what the network computed before, on the calibration data, where it is given',
  },
  reestimate: {
    type: 'choice',
    of: ['auto', 'always', 'never'],
    default: 'auto',
    about:
      'with `granularity: channel`, `head` or `layer`, whether batch norms are recomputed on the calibration data, if it is given; `auto`: only if `reconstruct` fitted no layers, since fitted layers match the existing statistics',
  },
  measure: {
    type: 'choice',
    of: ['auto', 'influence', 'change', 'sum', 'mean'],
    default: 'auto',
    about:
      'with `granularity: layer`, what a branch is worth: how much it turns (`influence`) or changes its input on the calibration data, or the sum or mean of the scores of its weights; `auto` is `influence` where data is given, else `mean`',
  },
} as const satisfies Options;

/** Every option of a prune step beside those of its pruner. */
export const pruneStepOptions = {
  ...pruneOptions,
  granularity: {
    ...pruneOptions.granularity,
    about:
      'what goes together: `weight`, N:M such as `2:4` (2 of every 4 input channels are kept), `channel`: whole channels and neurons, `head`: attention heads, `head-dimension`: the same places of all heads, or `layer`: residual branches; from `channel` on they are removed',
  },
  scope: {
    ...pruneOptions.scope,
    of: ['layer', 'global', 'isomorphic'],
    about:
      'whether every layer gets the sparsity, or all of them together; with `granularity: channel` or `head` also `isomorphic`: all layers of the same structure together',
  },
  samples: {
    type: 'integer',
    default: 1024,
    min: 1,
    about:
      'for scores by gradients, the most samples of `data.training` to take them on; without it, all of `data.calibration`',
  },
  ...ownOptions,
} as const satisfies Options;

/** Every option of a prune step, resolved. */
export type Written = Resolved<typeof pruneStepOptions>;

/** The granularities whose units are removed; single weights and N:M patterns are zeroed. */
export const removing = ['channel', 'head', 'head-dimension', 'layer'] as const;

type Kind = 'weight' | 'unit' | 'layer';

/** The unit that a granularity removes, or `weight` if weights are zeroed. */
export const kindOf = (granularity: string): Kind =>
  granularity === 'layer' ? 'layer' : removing.some((each) => each === granularity) ? 'unit' : 'weight';

/** Which kinds each option means something to. */
const concerns = {
  sparsity: ['weight', 'unit', 'layer'],
  granularity: ['weight', 'unit', 'layer'],
  scope: ['weight', 'unit'],
  normalize: ['weight'],
  ops: ['weight'],
  only: ['weight', 'unit', 'layer'],
  ignore: ['weight', 'unit', 'layer'],
  minimumSize: ['weight'],
  overrides: ['weight', 'unit'],
  samples: ['weight', 'unit', 'layer'],
  goal: ['unit', 'layer'],
  multiple: ['unit'],
  minimum: ['unit'],
  weights: ['unit'],
  reduce: ['unit'],
  normalizeGroups: ['unit'],
  statistics: ['unit'],
  reconstruct: ['unit'],
  reestimate: ['unit', 'layer'],
  measure: ['layer'],
} as const satisfies Record<keyof typeof pruneStepOptions, readonly Kind[]>;

const nouns: Readonly<Record<Kind, string>> = {
  weight: 'single weights',
  unit: 'whole channels and heads',
  layer: 'residual branches',
};

/** Options of another granularity that were written all the same: an option is never ignored. @throws PRUNE_OPTION. */
export function refuseForeignOptions(written: Written, where: string): void {
  const kind = kindOf(written.granularity);
  for (const name of Object.keys(concerns) as (keyof typeof concerns)[]) {
    const kinds: readonly Kind[] = concerns[name];
    if (kinds.includes(kind)) continue;
    if (JSON.stringify(written[name]) === JSON.stringify(pruneStepOptions[name].default)) continue;
    throw problem('PRUNE_OPTION', {
      where: `${where}.with.${name}`,
      expected: `its default beside granularity: ${written.granularity}`,
      found: JSON.stringify(written[name]),
      fix: `Remove it: it concerns ${kinds.map((each) => nouns[each]).join(' and ')}.`,
    });
  }
}

/** The goal of what is removed, in one of its four forms. */
export function goalOf({ goal, sparsity }: Written): { readonly ratio: number } {
  const name = { units: 'ratio', parameters: 'parameters', macs: 'macs', bytes: 'bytes' }[goal];
  return { [name]: sparsity } as { readonly ratio: number }; // or one of the other three
}
