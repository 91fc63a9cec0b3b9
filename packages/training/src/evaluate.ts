import { checkKeys, type Dataset, type Executor, type Graph, type KeysOf, type Measured } from '@espalier/core';
import { prefetch } from './data/prefetch.js';
import { type BatchNeeds, checkFields, readBatch } from './data/read-batch.js';
import { badRequest } from './errors.js';
import { logitsOf } from './logits-of.js';
import { defaultMetrics } from './metrics/default-metrics.js';
import type { Metric } from './metrics/metric.js';

/** A model, the samples to measure it on, and how. */
export interface EvaluateRequest {
  /** In inference form. */
  readonly model: Graph;
  readonly dataset: Dataset;
  readonly executor: Executor;
  /** Samples run at once. Default: 64. A model of a fixed batch size gets that one. */
  readonly batch?: number;
  /** Field with the targets. Default: `label`. */
  readonly target?: string;
  /** Chosen by the targets' dtype unless given. */
  readonly metrics?: readonly Metric[];
  /** Told the share done after each batch. */
  readonly progress?: (done: number) => void;
}

const keys: KeysOf<EvaluateRequest> = {
  model: true,
  dataset: true,
  executor: true,
  batch: true,
  target: true,
  metrics: true,
  progress: true,
};

/**
 * Measures a model on every sample of a data set, the last batch as large as it is. A model of a fixed batch size
 * leaves out what does not fill a batch.
 * @throws TRAINING_REQUEST, TRAINING_TARGETS, and what the executor throws.
 */
export async function evaluate(request: EvaluateRequest): Promise<Measured> {
  checkKeys<EvaluateRequest>('evaluate', request, keys);
  const { model, dataset, executor, target = 'label', progress } = request;
  const needs: BatchNeeds = { dataset, inputs: model.inputs, target };
  checkFields(needs);
  const metrics = request.metrics ?? defaultMetrics(dataset.fields.get(target)!.dtype);
  const fixed = fixedBatch(model);
  const batch = fixed ?? request.batch ?? 64;
  const count = fixed === undefined ? Math.ceil(dataset.size / batch) : Math.floor(dataset.size / batch);
  if (count === 0) {
    throw badRequest('evaluation data', { expected: `${fixed ?? 1} samples or more`, found: `${dataset.size}` });
  }
  const samplesAt = (i: number) =>
    Array.from({ length: Math.min(batch, dataset.size - i * batch) }, (_, k) => i * batch + k);
  const scored = logitsOf(model);
  const output = scored.outputs[0]!; // a model has outputs
  const session = await executor.open(scored);
  const sums = metrics.map(() => 0);
  let seen = 0;
  try {
    for await (const each of prefetch((i) => readBatch(needs, samplesAt(i)), { from: 0, to: count })) {
      const found = (await session.run(each.inputs, [output])).get(output)!; // fetched by name
      for (const [i, metric] of metrics.entries()) sums[i]! += metric.sum(found, each.target);
      seen += each.samples;
      progress?.(seen / dataset.size);
    }
  } finally {
    await session.close();
  }
  return Object.fromEntries(metrics.map(({ name }, i) => [name, sums[i]! / seen]));
}

/** The batch size of a model that takes no other; undefined where it takes any. */
export function fixedBatch(model: Graph): number | undefined {
  return model.inputs.map((name) => model.values.get(name)?.shape?.[0]).find((dim) => typeof dim === 'number');
}
