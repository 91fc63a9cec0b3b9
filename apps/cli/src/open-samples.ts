import { openSamples as openSamplesOf, type ReadModel, type Samples } from '@espalier/recipe';
import { dataSource } from './data-source.js';
import { type DataFlags, preprocessOf } from './flags.js';
import { type InputFlags, inputRequestOf } from './input-flags.js';
import type { Workbench } from './workbench.js';

/** Opens the samples that flags name, or those that stand in for them, for one model or two. @throws FLAG_MISSING without any, and as `openSamples`. */
export async function openSamples(
  models: readonly [ReadModel, ...ReadModel[]],
  { flags, standIn }: { readonly flags: DataFlags & InputFlags; readonly standIn?: string },
  { registry, files, executor, seed, progress }: Workbench,
): Promise<Samples> {
  const given = await inputRequestOf(flags, files);
  const name = flags.data ?? standIn;
  const data = dataSource('--data', name, preprocessOf(flags));
  const context = { registry, files, executor, seed, where: '--data', progress: progress.show };
  return openSamplesOf(models, { ...context, data, name, given });
}

/** The samples in words: `16 samples of random:16: image float32[1,3,32,32] normal random numbers`. */
export const fedText = (samples: number, { data, inputs }: Samples['fed']): string =>
  `${samples} samples of ${data}${inputs.length ? `: ${inputs.join('; ')}` : ''}`;
