import {
  type Dataset,
  type DatasetContext,
  type Files,
  type Port,
  type Reference,
  type Registry,
  reshaped,
  resolveReference,
  type SettledInputs,
  sizeOf,
  type Tensor,
} from '@espalier/core';
import { batchesOf, fitToInput, parseDataSpec } from '@espalier/datasets';
import type { DataSource, PreprocessFields } from './recipe.js';
import { settleInputs } from './settle-inputs.js';
import type { Batches, Progress } from './step.js';

/** The context for opening data, besides its source. */
export interface DataContext {
  readonly registry: Registry;
  readonly files: Files;
  /** The inputs of the model the data is for. */
  readonly inputs: readonly Port[];
  /** The model itself, for data that is made to fit it. */
  readonly model?: NonNullable<DatasetContext['model']>;
  /** Content of inputs that the user settled. */
  readonly settled?: SettledInputs;
  readonly seed: number;
  readonly where: string;
  readonly progress: Progress;
}

/**
 * Opens a data source and fits its samples to the model's inputs: an image field becomes the model's one image
 * input, other fields keep their names. `where` leads every message.
 * @throws what the loader throws, DATA_FIT when the samples cannot become the inputs.
 */
export async function openData(source: string | DataSource, context: DataContext): Promise<Dataset> {
  const { reference, preprocess } = sourceParts(source);
  const loader = resolveReference(context.registry, { kind: 'dataset', reference, where: context.where });
  const dataset = await loader({
    files: context.files,
    inputs: context.inputs,
    ...(context.model ? { model: context.model } : {}),
    ...(context.settled ? { settled: context.settled } : {}),
    seed: context.seed,
    progress: (message, done) => context.progress('data', done, message),
  });
  const { inputs, settled } = context;
  // Made samples have the shapes of the inputs and hold what was settled.
  if (dataset.about) return preprocess ? fit(dataset, inputs, preprocess) : dataset;
  return fit(settled ? settleInputs(dataset, inputs, settled) : dataset, inputs, preprocess);
}

/** A source as the reference of its data set, and how its images become numbers. */
export function sourceParts(source: string | DataSource): {
  reference: Reference;
  preprocess: PreprocessFields | undefined;
} {
  if (typeof source === 'string') return { reference: parseDataSpec(source), preprocess: undefined };
  const { preprocess, ...reference } = source;
  return { reference, preprocess };
}

function fit(dataset: Dataset, inputs: readonly Port[], preprocess: PreprocessFields | undefined): Dataset {
  const { resize, ...fields } = preprocess ?? {};
  const size = resize && { resize: { height: resize[0]!, width: resize[1] ?? resize[0]! } };
  const [first, ...others] = inputs;
  if (!first) return dataset;
  if (others.length === 0 && !isWhole(dataset, first)) return fitToInput(dataset, first, { ...fields, ...size });
  // Several inputs: each field is fed by its own name; an image field goes to the one image-like input.
  return inputs.reduce(
    (fitted, port) =>
      fitted.fields.has(port.name) && !isWhole(fitted, port)
        ? fitToInput(fitted, port, preprocess && isImage(port) ? { ...fields, ...size } : {})
        : fitted,
    dataset,
  );
}

const isImage = (port: Port): boolean => port.shape?.length === 4;

/** The number of samples in one run. */
export interface BatchWish {
  /** Samples at once, for models that take any number; by the size of a sample when left out. */
  readonly batch?: number;
  /** Whether the batches carry the field `label`. */
  readonly labels?: boolean;
}

/**
 * Batches of a data set for a model. A model whose batch size is fixed gets that size, and a last batch that is not
 * full is left out.
 */
export function batchesFor(
  dataset: Dataset,
  inputs: readonly Port[],
  { batch, labels = false }: BatchWish = {},
): Batches {
  if (inputs.length === 0) return oneEmptyFeed;
  const names = new Set([...inputs.map(({ name }) => name), ...(labels ? ['label'] : [])]);
  const feeds = [...dataset.fields.keys()].filter((name) => names.has(name));
  if (feedsWhole(dataset, inputs)) return wholeFeeds(dataset, feeds);
  const fixed = inputs.map(({ shape }) => shape?.[0]).find((dim) => typeof dim === 'number');
  return batchesOf(dataset, { batch: fixed ?? batch ?? comfortable(dataset), feeds, dropLast: fixed !== undefined });
}

/**
 * Whether samples hold the input as it is fed, the batch axis included: recurrent states whose batch comes second and
 * scalars cannot be stacked along a first axis.
 */
const isWhole = (dataset: Dataset, port: Port): boolean => {
  const field = dataset.fields.get(port.name)?.shape;
  return field !== undefined && field.length === port.shape?.length;
};

/** Whether a batch of a data set is one whole feed, whose first axes do not number samples. */
export const feedsWhole = (dataset: Dataset, inputs: readonly Port[]): boolean =>
  inputs.some((port) => isWhole(dataset, port));

/** A model without inputs computes the same at every run. */
async function* oneEmptyFeed(): AsyncGenerator<ReadonlyMap<string, Tensor>> {
  yield new Map();
}

/** One feed per sample, without the axis that stacking puts in front. */
function wholeFeeds(dataset: Dataset, feeds: readonly string[]): Batches {
  const batches = batchesOf(dataset, { batch: 1, feeds });
  return async function* single() {
    for await (const batch of batches()) {
      yield new Map([...batch].map(([name, tensor]) => [name, reshaped(tensor, tensor.shape.slice(1))]));
    }
  };
}

const roomy = 600_000; // input elements per run: four photographs of 224 x 224, or 32 small images

function comfortable(dataset: Dataset): number {
  const elements = [...dataset.fields.values()].reduce(
    (sum, { shape = [] }) => sum + sizeOf(shape.map((dim) => (typeof dim === 'number' ? dim : 1))),
    0,
  );
  return Math.max(1, Math.min(32, Math.floor(roomy / Math.max(1, elements))));
}
