import type { Executor, Tensor } from '@espalier/core';
import { nodeFiles } from '@espalier/core/node';
import { inferShapes } from '@espalier/ops';
import { batchesFor, openData, openModel, openSession, portsOf } from '@espalier/recipe';
import { registry } from 'espalier';

/** Made samples of a model file, the same for the same numbers, in batches as the model takes them. */
export async function openRandom({
  input,
  executor,
  take,
  seed,
}: {
  readonly input: string;
  readonly executor: Executor;
  readonly take: number;
  readonly seed: number;
}): Promise<() => AsyncIterable<ReadonlyMap<string, Tensor>>> {
  const files = nodeFiles('/', { confine: false });
  const { graph } = await openModel(registry, files, input);
  const inputs = portsOf(graph);
  const dataset = await openData(
    { use: 'random', with: { take, seed } },
    {
      registry,
      files,
      inputs,
      model: {
        graph: inferShapes(graph),
        open: () => openSession(executor, { graph, file: { files, path: input }, foreign: true }),
      },
      seed: 0,
      where: 'random',
      progress: () => {},
    },
  );
  return batchesFor(dataset, inputs);
}
