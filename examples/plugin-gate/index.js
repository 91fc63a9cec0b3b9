import { channelGate } from './channel-gate.js';

export { channelGate };

/** What a recipe, and `--plugin`, find in this package. */
export const plugins = [channelGate];
