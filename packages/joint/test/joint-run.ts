import { crossEntropy, parametersOf, sgd } from '@espalier/autodiff';
import { buildGraph, createRandom, type Executor, floats, type Graph, int, ints, resolveOptions } from '@espalier/core';
import { inferShapes } from '@espalier/ops';
import { coupled } from '@espalier/pruners';
import { train, trainingBatches, type Update, type Weights } from '@espalier/training';
import { toyData } from '../../training/test/toy.js';
import { type GetaOptions, getaOptions } from '../src/geta-options.js';
import { getaPlan, stagesOf } from '../src/geta-plan.js';
import type { QassoPlan } from '../src/qasso/plan.js';
import { qasso } from '../src/qasso/qasso.js';
import { quantizedStart } from '../src/quantized-start.js';

/** A residual block behind a first convolution, with batch norms, for the textures of `toyData`. */
export function blockModel(): Graph {
  const random = createRandom(21);
  const normal = (shape: readonly number[], scale: number) =>
    floats(
      Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.normal() * scale),
      shape,
    );
  const b = buildGraph();
  const conv = (x: string, name: string, [to, from]: readonly [number, number]) => {
    const made = b.add('Conv', [x, b.constant(`${name}.weight`, normal([to, from, 3, 3], Math.sqrt(2 / (9 * from))))], {
      attributes: { kernel_shape: ints([3, 3]), pads: ints([1, 1, 1, 1]) },
      name,
    });
    const vector = (part: string, value: number) =>
      b.constant(`${name}.${part}`, floats(new Float32Array(to).fill(value)));
    const rest = [vector('gamma', 1), vector('beta', 0), vector('mean', 0), vector('variance', 1)];
    return b.add('BatchNormalization', [made, ...rest], { name: `${name}.norm` });
  };
  const x = b.input('image', 'float32', ['batch', 1, 8, 8]);
  const stem = b.add('Relu', [conv(x, 'stem', [8, 1])]);
  const inner = b.add('Relu', [conv(stem, 'inner', [16, 8])]);
  const sum = b.add('Relu', [b.add('Add', [conv(inner, 'outer', [8, 16]), stem])]);
  const pooled = b.add('Flatten', [b.add('GlobalAveragePool', [sum])], { attributes: { axis: int(1) } });
  const head = [b.constant('fc.weight', normal([3, 8], 0.5)), b.constant('fc.bias', floats([0, 0, 0]))];
  const scores = b.add('Gemm', [pooled, ...head], { name: 'scores', attributes: { transB: int(1) } });
  b.info(scores, { dtype: 'float32', shape: ['batch', 3] });
  b.output(scores);
  return inferShapes(b.finish());
}

/** Options of `geta` with defaults filled in. */
export const optionsOf = (written: object = {}): GetaOptions =>
  resolveOptions('geta', getaOptions, {
    optimizer: sgd({ momentum: 0.9 }),
    loss: crossEntropy({}),
    learningRate: 0.05,
    batch: 16,
    epochs: 10,
    multiple: 1,
    ...written,
  }) as GetaOptions;

/** What a step of QASSO gave, besides the weights. */
export interface Seen {
  readonly update: Update;
  readonly weights: Weights;
  readonly memory: Weights;
}

/** Trains the block by QASSO, and tells what every step gave. */
export async function jointRun(
  executor: Executor,
  {
    options,
    calibrateOn = executor,
    look,
  }: {
    readonly options: GetaOptions;
    readonly calibrateOn?: Executor;
    readonly look?: (seen: Seen, plan: QassoPlan) => void;
  },
) {
  const [model, training] = [blockModel(), toyData(96)];
  const batches = () => trainingBatches({ training, batch: 16, seed: 3, model }, 2);
  const start = await quantizedStart(model, options, { executor: calibrateOn, batches });
  const parameters = new Set(parametersOf(start).map(({ value }) => value));
  const net = coupled(start);
  const stages = stagesOf(options, Math.floor(training.size / options.batch));
  const plan = getaPlan(net, { options, stages, trained: (value) => parameters.has(value) });
  const step = qasso(plan);
  const { warm, projection, joint, cool } = stages;
  const trained = await train({
    model: start,
    training,
    batch: options.batch,
    loss: options.loss,
    optimizer: options.optimizer,
    scaleRate: options.quantizerRate,
    steps: warm + projection.steps + joint.steps + cool,
    executor,
    seed: 3,
    project(weights, update) {
      const made = step(weights, update);
      look?.({ update, weights: made.weights, memory: made.memory ?? new Map() }, plan);
      return made;
    },
  });
  return { plan, start, trained };
}
