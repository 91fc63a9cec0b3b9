import type { Carried, TrainingStep } from '@espalier/autodiff';
import type { Loop, Session, Tensor } from '@espalier/core';
import type { Weights } from '../train-request.js';
import type { Moving, Steps } from './steps.js';

/** A loop, and the maps that stand for what it carries. */
interface Running extends Moving {
  readonly loop: Loop;
  /** Whether steps were made since the maps held what the loop does. */
  readonly behind: boolean;
}

/**
 * Steps whose weights and optimizer tensors stay in the runtime: a step fetches the loss alone. The maps of a state name
 * what is there as long as it brings the very ones that it was given; others begin another loop.
 */
export function loopedSteps(step: TrainingStep, begin: NonNullable<Session['loop']>): Steps {
  const ofModel = [...step.parameters, ...step.statistics];
  let running: Running | undefined;
  const knows = (from: Moving) => running?.weights === from.weights && running.optimizer === from.optimizer;
  const close = async () => {
    await running?.loop.close();
    running = undefined;
  };
  const loopAt = async (from: Moving): Promise<Loop> => {
    if (running && knows(from)) return running.loop;
    await close();
    const loop = await begin([...carry(ofModel, from.weights), ...carry(step.state, from.optimizer)]);
    running = { loop, behind: false, weights: from.weights, optimizer: from.optimizer };
    return loop;
  };
  return {
    async step({ weights, optimizer }, feeds) {
      const loop = await loopAt({ weights, optimizer });
      const results = await loop.step(feeds, [step.loss]);
      running = { loop, behind: true, weights, optimizer };
      return { loss: Number(results.get(step.loss)!.data[0]), weights, optimizer }; // fetched
    },
    async settled(from) {
      const { weights, optimizer } = from;
      if (!running?.behind || !knows(from)) return { weights, optimizer };
      const { loop } = running;
      const now = await loop.read();
      const maps = { weights: updated(weights, ofModel, now), optimizer: updated(optimizer, step.state, now) };
      running = { loop, behind: false, ...maps };
      return maps;
    },
    close,
  };
}

const carry = (carried: readonly Carried[], from: Weights) =>
  carried.map(({ name, input, output, initial }) => ({ input, output, initial: from.get(name) ?? initial }));

function updated(before: Weights, carried: readonly Carried[], now: ReadonlyMap<string, Tensor>): Weights {
  const out = new Map(before);
  for (const { name, input } of carried) out.set(name, now.get(input)!); // all were read
  return out;
}
