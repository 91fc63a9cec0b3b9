import type { Carried, TrainingStep } from '@espalier/autodiff';
import { type Executor, type Session, scalar, type Tensor } from '@espalier/core';
import { type Batch, targetAs } from '../data/read-batch.js';
import type { Weights } from '../train-request.js';
import type { RunState } from './run-state.js';
import { type StepIngredients, stepGraph } from './step-graph.js';

/** Runs one step; the state's tensors are fed as they are, and the results take their place. */
export type StepRunner = (
  state: RunState,
  batch: Batch,
  learningRate: number,
) => Promise<{ readonly loss: number; readonly state: RunState }>;

/** Holds the session of the current step graph; it changes when other parameters are frozen or masked. */
export interface StepRunners {
  at(state: RunState): Promise<StepRunner>;
  close(): Promise<void>;
}

/** Opens step graphs as states need them, one at a time. */
export function stepRunners(from: StepIngredients & { readonly executor: Executor }): StepRunners {
  let open: { readonly key: string; readonly session: Session; readonly run: StepRunner } | undefined;
  const close = async () => {
    await open?.session.close();
    open = undefined;
  };
  return {
    async at(state) {
      const key = JSON.stringify([state.frozen, [...state.masks.keys()].sort()]);
      if (open?.key === key) return open.run;
      await close();
      const step = stepGraph(from, state);
      const session = await from.executor.open(step.graph);
      open = { key, session, run: runnerOf(step, session) };
      return open.run;
    },
    close,
  };
}

function runnerOf(step: TrainingStep, session: Session): StepRunner {
  const target = step.graph.values.get(step.target)!.dtype; // every input of a graph has a type
  const weights = [...step.parameters, ...step.statistics];
  const fetched = [step.loss, ...weights.map(({ output }) => output), ...step.state.map(({ output }) => output)];
  return async (state, batch, learningRate) => {
    const feeds = new Map(batch.inputs);
    feeds.set(step.target, targetAs(batch.target, target));
    feeds.set(step.learningRate, scalar(learningRate));
    feeds.set(step.step, scalar(state.step + 1));
    for (const [name, input] of step.lossInputs) {
      const value = batch.lossInputs?.get(name);
      if (value) feeds.set(input, value); // the executor says which one is missing
    }
    for (const { name, input, initial } of weights) feeds.set(input, state.weights.get(name) ?? initial);
    for (const { name, input, initial } of step.state) feeds.set(input, state.optimizer.get(name) ?? initial);
    for (const { parameter, input } of step.masks) feeds.set(input, state.masks.get(parameter)!); // the graph was made for these
    const results = await session.run(feeds, fetched);
    return {
      loss: Number(results.get(step.loss)!.data[0]),
      state: {
        ...state,
        step: state.step + 1,
        phaseStep: state.phaseStep + 1,
        weights: updated(state.weights, weights, results),
        optimizer: updated(state.optimizer, step.state, results),
      },
    };
  };
}

function updated(before: Weights, carried: readonly Carried[], results: ReadonlyMap<string, Tensor>): Weights {
  const out = new Map(before);
  for (const { name, output } of carried) out.set(name, results.get(output)!); // fetched by this name
  return out;
}
