import { rows } from './rows.js';

export { rows };

/** What a recipe, and `--plugin`, find in this package. */
export const plugins = [rows];
