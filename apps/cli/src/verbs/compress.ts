import { dirname, resolve } from 'node:path';
import { problem } from '@espalier/core';
import { type Recipe, compress as runCompress } from '@espalier/recipe';
import { findFolderPreset, findPreset, folderPresets, presets } from 'espalier';
import { compressText } from '../compress-text.js';
import {
  badFlag,
  checkpointOf,
  type SharedFlags,
  type TrainingFlags,
  withDataFlags,
  withSharedFlags,
  withTrainingFlags,
} from '../flags.js';
import { type InputFlags, inputRequestOf, withInputFlags } from '../input-flags.js';
import { loadRecipe } from '../load-recipe.js';
import { changedRecipe, type RecipeFlags, withFlags, withSetFlag } from '../recipe-flags.js';
import type { Surroundings } from '../surroundings.js';
import { version } from '../version.js';
import { withWorkbench } from '../workbench.js';
import { writeReport } from '../write-report.js';
import { compressToFolder } from './compress-to-folder.js';
import type { Verb } from './verb.js';

interface CompressFlags extends SharedFlags, RecipeFlags, InputFlags, TrainingFlags {
  readonly output: string;
  readonly recipe?: string;
  readonly preset?: string;
  readonly report?: string;
  readonly force?: true;
}

/** `espalier compress MODEL -o OUT`: runs a recipe or a preset, verifies what was written, and says what it cost. */
export const compress: Verb = (command, surroundings) =>
  void withSetFlag(
    withInputFlags(withTrainingFlags(withDataFlags(withSharedFlags(command)))),
    'steps[1].quantize.with.reduceRange=true',
  )
    .requiredOption('-o, --output <file>', 'the file to write')
    .option(
      '--preset <name>',
      `a recipe that ships with Espalier: ${Object.keys(presets).join(', ')}; ${Object.keys(folderPresets).join(', ')}: a folder with every form that transformers.js loads`,
    )
    .option('--recipe <file>', 'a recipe: YAML, JSON, or a TypeScript or JavaScript module')
    .option('--calibration <spec>', 'data for ranges and other statistics; labels are used where scores need gradients')
    .option('--force', "replace the run's own input or a write-protected file")
    .option('--report <folder>', 'write report.json and report.html there')
    .action(async (model: string, flags: CompressFlags) => {
      const checkpoint = checkpointOf(flags);
      const preset = flags.recipe === undefined ? findFolderPreset(flags.preset ?? '') : undefined;
      if (preset) {
        if (checkpoint) throw badFlag('--checkpoint', 'a recipe that trains', `--preset ${flags.preset}`);
        const change = (recipe: Recipe) => withFlags(recipe, flags);
        return compressToFolder(model, flags, { surroundings, preset, withFlags: change });
      }
      const recipe = await recipeOf(flags, surroundings);
      await withWorkbench(flags, surroundings, {
        plugins: recipe.plugins ?? {},
        folder: flags.recipe ? dirname(resolve(surroundings.cwd, flags.recipe)) : surroundings.cwd,
        async work({ registry, executor, files, progress, answer }) {
          const given = await inputRequestOf(flags, files);
          const report = await runCompress({
            recipe,
            registry,
            executor,
            files,
            input: model,
            output: flags.output,
            force: flags.force ?? false,
            ...(given ? { given } : {}),
            versions: { espalier: version, node: process.versions.node },
            progress: progress.show,
            ...(checkpoint ? { checkpoint: { files, ...checkpoint } } : {}),
            ...(surroundings.signal ? { signal: surroundings.signal } : {}),
          });
          const written = flags.report === undefined ? [] : await writeReport(files, flags.report, report);
          progress.close();
          answer(report, () => compressText(report, written));
        },
      });
    });

async function recipeOf(flags: CompressFlags, surroundings: Surroundings): Promise<Recipe> {
  if ((flags.recipe === undefined) === (flags.preset === undefined)) {
    throw problem('FLAG_MISSING', {
      where: 'compress',
      expected: 'either --preset or --recipe',
      found: flags.recipe === undefined ? 'neither' : 'both',
    });
  }
  const written =
    flags.recipe === undefined
      ? findPreset(flags.preset ?? '').recipe
      : await loadRecipe(flags.recipe, surroundings.cwd);
  return changedRecipe(written, flags.recipe ?? `preset ${flags.preset}`, flags);
}
