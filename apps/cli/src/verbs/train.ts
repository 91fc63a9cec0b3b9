import { dirname, extname, resolve } from 'node:path';
import { type TrainingReport, trainModel } from '@espalier/recipe';
import {
  checkpointOf,
  type SharedFlags,
  type TrainingFlags,
  withDataFlags,
  withSharedFlags,
  withTrainingFlags,
} from '../flags.js';
import { loadRecipe } from '../load-recipe.js';
import { bytesText, countText, percentText } from '../number-text.js';
import { changedRecipe, type RecipeFlags, withSetFlag } from '../recipe-flags.js';
import { factTable } from '../text-table.js';
import { withWorkbench } from '../workbench.js';
import type { Verb } from './verb.js';

interface TrainFlags extends SharedFlags, RecipeFlags, TrainingFlags {
  readonly output?: string;
  readonly model?: string;
}

/** `espalier train RECIPE`: trains a model file or an architecture, and measures what was written. */
export const train: Verb = (command, surroundings) =>
  void withSetFlag(withTrainingFlags(withDataFlags(withSharedFlags(command))), 'steps[0].train.with.epochs=3')
    .option('-o, --output <file>', 'the file to write (default: RECIPE-trained.onnx)')
    .option('--model <model>', "a file, or the id of an architecture, in place of the recipe's model")
    .action(async (path: string, flags: TrainFlags) => {
      const checkpoint = checkpointOf(flags);
      const recipe = changedRecipe(await loadRecipe(path, surroundings.cwd), path, flags);
      await withWorkbench(flags, surroundings, {
        plugins: recipe.plugins ?? {},
        folder: dirname(resolve(surroundings.cwd, path)),
        async work({ registry, executor, files, progress, answer }) {
          const report = await trainModel({
            recipe,
            registry,
            executor,
            files,
            output: flags.output ?? `${path.slice(0, path.length - extname(path).length)}-trained.onnx`,
            progress: progress.show,
            ...(flags.model === undefined ? {} : { model: flags.model }),
            ...(checkpoint ? { checkpoint: { files, ...checkpoint } } : {}),
            ...(surroundings.signal ? { signal: surroundings.signal } : {}),
          });
          progress.close();
          answer(report, () => trainingText(report));
        },
      });
    });

function trainingText({
  epochs,
  steps,
  seconds,
  imagesPerSecond,
  metrics,
  metricsBefore,
  output,
  executor,
}: TrainingReport): string {
  const before = new Map<string, number>(Object.entries(metricsBefore ?? {}));
  const told = (name: string, value: number) => (name.startsWith('top') ? percentText(value) : value.toFixed(4));
  const measured = Object.entries(metrics ?? {}).map(([name, value]): readonly [string, string] => {
    const was = before.get(name);
    return [name, was === undefined ? told(name, value) : `${told(name, was)} before, ${told(name, value)} after`];
  });
  return factTable([
    ['epochs', countText(epochs)],
    ['steps', countText(steps)],
    ['seconds', seconds.toFixed(1)],
    ['samples/s', imagesPerSecond.toFixed(0)],
    ...measured,
    ['output', `${output.path} (${bytesText(output.bytes)})`],
    ['executor', executor],
  ]);
}
