import { dense } from './dense.js';

export { dense };

/** What a recipe, and `--plugin`, find in this package. */
export const plugins = [dense];
