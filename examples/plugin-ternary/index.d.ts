import type { AnyPlugin, Plugin } from '@espalier/core';

/** The weights of layers become -1, 0 or 1 times a scale for each output channel. */
export declare const ternary: Plugin<
  'quantizer',
  {
    readonly threshold: { readonly type: 'number'; readonly default: 0.75; readonly min: 0; readonly about: string };
    readonly ignore: { readonly type: 'texts'; readonly default: readonly []; readonly about: string };
  }
>;

/** What a recipe finds under the namespace it gives this package. */
export declare const plugins: readonly AnyPlugin[];
