import { ternary } from './ternary.js';

export { ternary };

/** What a recipe finds under the namespace it gives this package. */
export const plugins = [ternary];
