import type { AnyPlugin, Plugin } from '@espalier/core';

/** How the axes of `acme::ChannelGate` relate. */
export declare const channelGate: Plugin<'axes', {}>;

/** What a recipe, and `--plugin`, find in this package. */
export declare const plugins: readonly AnyPlugin[];
