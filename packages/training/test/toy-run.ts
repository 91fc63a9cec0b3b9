import { type Executor, toNumbers } from '@espalier/core';
import { train } from '../src/index.js';
import { toyRequest } from './toy.js';

/** What two epochs of the toy gave, as plain data. */
export interface ToyRun {
  readonly losses: readonly number[];
  readonly accuracy: number;
  readonly weights: readonly number[];
}

/** Trains the toy for two epochs with an evaluation after each: the same request wherever it runs but for the executor. */
export async function toyRun(executor: Executor): Promise<ToyRun> {
  const losses: number[] = [];
  const { graph, metrics } = await train(
    toyRequest(executor, {
      epochs: 2,
      events: (event) => {
        if (event.event === 'step') losses.push(event.loss);
      },
    }),
  );
  const weights = ['conv.weight', 'bn.mean', 'bn.variance', 'fc.weight', 'fc.bias'].flatMap((name) =>
    Array.from(toNumbers(graph.constants.get(name)!) as ArrayLike<number>),
  );
  return { losses, accuracy: metrics!['top1']!, weights }; // measured by default
}
