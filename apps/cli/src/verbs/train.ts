import { dirname, extname, resolve } from 'node:path';
import { checkRecipe, type Recipe, setInRecipe, type TrainingReport, trainModel } from '@espalier/recipe';
import { dataSource } from '../data-source.js';
import {
  checkpointOf,
  type DataFlags,
  numberFlag,
  preprocessOf,
  type SharedFlags,
  type TrainingFlags,
  withDataFlags,
  withSharedFlags,
  withTrainingFlags,
} from '../flags.js';
import { loadRecipe } from '../load-recipe.js';
import { bytesText, countText, percentText } from '../number-text.js';
import type { Surroundings } from '../surroundings.js';
import { factTable } from '../text-table.js';
import { withWorkbench } from '../workbench.js';
import type { Verb } from './verb.js';

interface TrainFlags extends SharedFlags, DataFlags, TrainingFlags {
  readonly output?: string;
  readonly model?: string;
  readonly set: readonly string[];
}

const collect = (value: string, before: readonly string[]): readonly string[] => [...before, value];

/** `espalier train RECIPE`: trains a model file or an architecture, and measures what was written. */
export const train: Verb = (command, surroundings) =>
  void withTrainingFlags(withDataFlags(withSharedFlags(command)))
    .option('-o, --output <file>', 'the file to write (default: RECIPE-trained.onnx)')
    .option('--model <model>', "a file, or the id of an architecture, in place of the recipe's model")
    .option('--set <path=value>', 'change the recipe: steps[0].train.with.epochs=3 (repeatable)', collect, [])
    .action(async (path: string, flags: TrainFlags) => {
      const checkpoint = checkpointOf(flags);
      const recipe = await recipeOf(path, flags, surroundings);
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

/** The recipe with what the flags change in it; flags win. */
async function recipeOf(path: string, flags: TrainFlags, { cwd }: Surroundings): Promise<Recipe> {
  const written = await loadRecipe(path, cwd);
  const recipe = checkRecipe(flags.set.reduce<unknown>(setInRecipe, written), path);
  const preprocess = preprocessOf(flags);
  const seed = numberFlag('--seed', flags.seed, { min: 0, integer: true });
  const given = (flag: string, spec: string | undefined) =>
    spec === undefined ? undefined : dataSource(flag, spec, preprocess);
  const [training, evaluation] = [given('--training', flags.training), given('--data', flags.data)];
  return {
    ...recipe,
    data: { ...recipe.data, ...(training ? { training } : {}), ...(evaluation ? { evaluation } : {}) },
    ...(seed === undefined ? {} : { seed }),
  };
}

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
