import type { AnyPlugin, Plugin } from '@espalier/core';

/** How the axes of `acme::Dense` relate. */
export declare const dense: Plugin<'axes', {}>;

/** What a recipe, and `--plugin`, find in this package. */
export declare const plugins: readonly AnyPlugin[];
