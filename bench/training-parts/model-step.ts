import { readFileSync } from 'node:fs';
import { crossEntropy, sgd, type TrainingStep, trainingStep } from '@espalier/autodiff';
import { createRandom, floats, type Graph, longs, type Session, scalar, sizeOf, type Tensor } from '@espalier/core';
import { decodeOnnx } from '@espalier/onnx';
import { setInputShapes } from '@espalier/ops';
import { bertTiny, lenet5, mobilenetV2, resnet20, vitTiny } from '@espalier/zoo';
import { modelsFolder } from '../../test/fixtures.js';

/** The networks that are measured, by name; `real` is the trained ResNet-20 of the models folder. */
export const models: Readonly<Record<string, () => Graph>> = {
  resnet20: () => resnet20({}),
  'mobilenet-v2': () => mobilenetV2({ classes: 10, size: 32 }),
  lenet5: () => lenet5({}),
  vit: () => vitTiny({ classes: 10, size: 32, patch: 4, depth: 4 }),
  encoder: () => bertTiny({ classes: 10, vocabulary: 1000, sequence: 64, positions: 64 }),
  real: () => decodeOnnx(new Uint8Array(readFileSync(`${modelsFolder()}/resnet20-cifar10.onnx`))),
};

/** The step of cross-entropy and momentum on batches of one size. */
export function stepOf(model: string, batch: number): TrainingStep {
  const build = models[model];
  if (!build) throw new Error(`no model "${model}"; there are ${Object.keys(models).join(', ')}`);
  const graph = build();
  const shapes = graph.inputs.map((name) => [name, [batch, ...graph.values.get(name)!.shape!.slice(1)]] as const); // images
  return trainingStep(setInputShapes(graph, new Map(shapes)), {
    loss: crossEntropy({}),
    optimizer: sgd({ momentum: 0.9 }),
  });
}

const carriedBy = (step: TrainingStep) => [...step.parameters, ...step.state, ...step.statistics];

// How many whole numbers an input draws from, and the least of them, where it is not ten classes or tokens.
const draws: Readonly<Record<string, readonly [number, number]>> = { attention_mask: [1, 1], token_type_ids: [2, 0] };

/** Random images, tokens and classes, and the tensors that steps begin with. */
export function firstFeeds(step: TrainingStep): Map<string, Tensor> {
  const random = createRandom(1);
  const feeds = new Map<string, Tensor>(carriedBy(step).map(({ input, initial }) => [input, initial]));
  feeds.set(step.learningRate, scalar(0.01)).set(step.step, scalar(1));
  for (const name of step.graph.inputs) {
    if (feeds.has(name)) continue;
    const { dtype, shape = [] } = step.graph.values.get(name)!; // every input has a type
    const sizes = shape.map(Number);
    const count = sizeOf(sizes);
    const [numbers, least] = draws[name] ?? [10, 0];
    const classes = () =>
      longs(
        Array.from({ length: count }, () => least + random.below(numbers)),
        sizes,
      );
    feeds.set(name, dtype === 'int64' ? classes() : floats(Float32Array.from({ length: count }, random.normal), sizes));
  }
  return feeds;
}

/** Runs steps one after the other; each returns its loss. */
export function trainer(step: TrainingStep, session: Session): () => Promise<number> {
  const feeds = firstFeeds(step);
  const carried = carriedBy(step);
  const fetched = [step.loss, ...carried.map(({ output }) => output)];
  return async () => {
    const results = await session.run(feeds, fetched);
    for (const { input, output } of carried) feeds.set(input, results.get(output)!); // fetched just above
    return Number(results.get(step.loss)!.data[0]);
  };
}
