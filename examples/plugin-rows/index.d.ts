import type { AnyPlugin, Plugin } from '@espalier/core';

/** Sets whole rows of weights to zero: all weights of an output together. */
export declare const rows: Plugin<
  'pruning',
  {
    readonly pruner: {
      readonly type: 'plugin';
      readonly kind: 'pruner';
      readonly default: 'magnitude';
      readonly about: string;
    };
    readonly sparsity: { readonly type: 'number'; readonly min: 0; readonly max: 1; readonly about: string };
    readonly ignore: { readonly type: 'texts'; readonly default: readonly []; readonly about: string };
  }
>;

/** What a recipe, and `--plugin`, find in this package. */
export declare const plugins: readonly AnyPlugin[];
