import type { Dataset, Executor, Files, Port, Registry } from '@espalier/core';
import { inferShapes } from '@espalier/ops';
import { checkInputRequest, type InputRequest, sizedGraph } from './input-request.js';
import { commonPorts, portsOf } from './model-ports.js';
import { openData } from './open-data.js';
import type { OpenedModel } from './open-model.js';
import { openSession } from './open-session.js';
import type { DataSource } from './recipe.js';
import type { Progress } from './step.js';

/** Samples to run models on. */
export interface Samples {
  readonly dataset: Dataset;
  /** Inputs that fit all models, with the sizes that the request settles. */
  readonly inputs: readonly Port[];
  /** The data and made inputs in words, for reports. */
  readonly fed: { readonly data: string; readonly inputs: readonly string[] };
}

/** A model, and where it was read from. */
export interface ReadModel extends OpenedModel {
  readonly path: string;
}

/** The data to open, and the means to open it. */
export interface SamplesRequest {
  readonly registry: Registry;
  readonly executor: Executor;
  readonly files: Files;
  readonly seed: number;
  readonly data: string | DataSource;
  /** The name of the data in reports. Default: that of the data set. */
  readonly name?: string | undefined;
  /** Sizes and content of inputs that the user settled. */
  readonly given?: InputRequest | undefined;
  /** Leads messages about the data. */
  readonly where: string;
  readonly progress: Progress;
}

/**
 * Opens samples for one model, or for two that are to be compared; made samples are tried on the first model.
 * @throws as `openData`, and INPUT_UNKNOWN for names in the request that no model has.
 */
export async function openSamples(
  models: readonly [ReadModel, ...ReadModel[]],
  { data, name, given, ...context }: SamplesRequest,
): Promise<Samples> {
  const { executor, files } = context;
  const graphs = models.map(({ graph }) => graph);
  if (given) checkInputRequest(graphs, given);
  const sized = graphs.map((graph) => (given ? sizedGraph(graph, given) : graph));
  const [first = [], second] = sized.map(portsOf);
  const inputs = second ? commonPorts(first, second) : first;
  const dataset = await openData(data, {
    ...context,
    inputs,
    model: {
      graph: inferShapes(sized[0]!), // there is a first model
      open: () =>
        openSession(executor, { graph: models[0].graph, file: { files, path: models[0].path }, foreign: true }),
    },
    ...(given ? { settled: given } : {}),
  });
  return { dataset, inputs, fed: { data: name ?? dataset.name, inputs: dataset.about ?? [] } };
}
