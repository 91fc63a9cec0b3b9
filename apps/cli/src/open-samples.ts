import type { Dataset, Port } from '@espalier/core';
import { inferShapes } from '@espalier/ops';
import {
  checkInputRequest,
  commonPorts,
  type OpenedModel,
  openData,
  openSession,
  portsOf,
  sizedGraph,
} from '@espalier/recipe';
import { dataSource } from './data-source.js';
import { type DataFlags, preprocessOf } from './flags.js';
import { type InputFlags, inputRequestOf } from './input-flags.js';
import type { Workbench } from './workbench.js';

/** Samples to run models on. */
export interface Samples {
  readonly dataset: Dataset;
  /** Inputs that fit all models, with the sizes that flags settle. */
  readonly inputs: readonly Port[];
  /** The data spec, and made inputs in words: for reports. */
  readonly fed: { readonly data: string; readonly inputs: readonly string[] };
}

/** A model, and where it was read from. */
export interface ReadModel extends OpenedModel {
  readonly path: string;
}

/**
 * Opens the samples of `--data` for one model or two, or what stands in for them; made samples are tried on the first
 * model. @throws as `openData`, and INPUT_UNKNOWN for names in flags that no model has.
 */
export async function openSamples(
  models: readonly [ReadModel, ...ReadModel[]],
  { flags, standIn }: { readonly flags: DataFlags & InputFlags; readonly standIn?: string },
  { registry, files, executor, seed, progress }: Workbench,
): Promise<Samples> {
  const settled = await inputRequestOf(flags, files);
  const graphs = models.map(({ graph }) => graph);
  if (settled) checkInputRequest(graphs, settled);
  const sized = graphs.map((graph) => (settled ? sizedGraph(graph, settled) : graph));
  const [first = [], second] = sized.map(portsOf);
  const inputs = second ? commonPorts(first, second) : first;
  const data = flags.data ?? standIn;
  const dataset = await openData(dataSource('--data', data, preprocessOf(flags)), {
    registry,
    files,
    inputs,
    model: {
      graph: inferShapes(sized[0]!), // there is a first model
      open: () =>
        openSession(executor, { graph: models[0].graph, file: { files, path: models[0].path }, foreign: true }),
    },
    ...(settled ? { settled } : {}),
    seed,
    where: '--data',
    progress: progress.show,
  });
  return { dataset, inputs, fed: { data: data ?? dataset.name, inputs: dataset.about ?? [] } };
}

/** The samples in words: `16 samples of random:16: image float32[1,3,32,32] normal random numbers`. */
export const fedText = (samples: number, { data, inputs }: Samples['fed']): string =>
  `${samples} samples of ${data}${inputs.length ? `: ${inputs.join('; ')}` : ''}`;
