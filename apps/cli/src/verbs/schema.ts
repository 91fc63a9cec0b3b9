import { recipeSchema } from '@espalier/recipe';
import { type SharedFlags, withSharedFlags } from '../flags.js';
import { withWorkbench } from '../workbench.js';
import type { Verb } from './verb.js';

/** `espalier schema`: the JSON Schema of recipes, for editors. */
export const schema: Verb = (command, surroundings) =>
  void withSharedFlags(command).action((flags: SharedFlags) =>
    withWorkbench(flags, surroundings, {
      async work({ registry }) {
        surroundings.out(`${JSON.stringify(recipeSchema(registry), null, 2)}\n`);
      },
    }),
  );
