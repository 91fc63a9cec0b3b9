import type { Carried, TrainingStep } from '@espalier/autodiff';
import type { Session, Tensor } from '@espalier/core';
import type { Weights } from '../train-request.js';
import type { Steps } from './steps.js';

/** Steps whose results come to the host and are fed to the next one: to be used where the runtime keeps nothing. */
export function fedSteps(step: TrainingStep, session: Session): Steps {
  const ofModel = [...step.parameters, ...step.statistics];
  const fetched = [step.loss, ...[...ofModel, ...step.state].map(({ output }) => output)];
  return {
    async step(from, feeds) {
      const all = new Map(feeds);
      for (const { name, input, initial } of ofModel) all.set(input, from.weights.get(name) ?? initial);
      for (const { name, input, initial } of step.state) all.set(input, from.optimizer.get(name) ?? initial);
      const results = await session.run(all, fetched);
      return {
        loss: Number(results.get(step.loss)!.data[0]), // fetched
        weights: updated(from.weights, ofModel, results),
        optimizer: updated(from.optimizer, step.state, results),
      };
    },
    settled: async ({ weights, optimizer }) => ({ weights, optimizer }),
    close: async () => {},
  };
}

function updated(before: Weights, carried: readonly Carried[], results: ReadonlyMap<string, Tensor>): Weights {
  const out = new Map(before);
  for (const { name, output } of carried) out.set(name, results.get(output)!); // fetched by this name
  return out;
}
