import type { TrainingStep } from '@espalier/autodiff';
import { type Session, scalar, type Tensor } from '@espalier/core';
import { type Batch, targetAs } from '../data/read-batch.js';
import type { Constraints, Surroundings } from '../train-request.js';
import { fedSteps } from './fed-steps.js';
import { loopedSteps } from './looped-steps.js';
import type { RunState } from './run-state.js';
import { type StepIngredients, stepGraph } from './step-graph.js';
import type { Steps } from './steps.js';

/**
 * Runs steps from state to state. Where the session keeps tensors from step to step, a state that comes out of `step`
 * has the maps of weights and optimizer tensors that went in, and `settled` gives it those of now. A state that brings
 * other maps, such as weights that a phase changed, is what the next step begins with.
 */
export interface StepRunner {
  step(
    state: RunState,
    batch: Batch,
    learningRate: number,
  ): Promise<{ readonly loss: number; readonly state: RunState }>;
  settled(state: RunState): Promise<RunState>;
  close(): Promise<void>;
}

/** The context of steps. */
export type StepSurroundings = StepIngredients & Pick<Constraints, 'project'> & Pick<Surroundings, 'executor'>;

interface Open {
  readonly key: string;
  readonly step: TrainingStep;
  readonly session: Session;
  readonly steps: Steps;
}

/** Opens step graphs as states need them, one at a time: others when other parameters are frozen or masked. */
export function stepRunner(from: StepSurroundings): StepRunner {
  let open: Open | undefined;
  const settled = async (state: RunState) => (open ? { ...state, ...(await open.steps.settled(state)) } : state);
  const close = async () => {
    await open?.steps.close();
    await open?.session.close();
    open = undefined;
  };
  const openAt = async (state: RunState) => {
    const key = JSON.stringify([state.frozen, [...state.masks.keys()].sort()]);
    if (open?.key === key) return { state, ...open };
    const start = await settled(state);
    await close();
    const step = stepGraph(from, start);
    const session = await from.executor.open(step.graph);
    const steps = stepsOf(step, session, from);
    open = { key, step, session, steps };
    return { state: start, ...open };
  };
  return {
    async step(given, batch, learningRate) {
      const { state, step, steps } = await openAt(given);
      const { loss, ...moved } = await steps.step(state, feedsOf(step, state, { batch, learningRate }));
      return { loss, state: { ...state, ...moved, step: state.step + 1, phaseStep: state.phaseStep + 1 } };
    },
    settled,
    close,
  };
}

/** A projection changes weights on the host after each step; without one they stay where the session keeps them. */
function stepsOf(step: TrainingStep, session: Session, { project }: StepSurroundings): Steps {
  const begin = project ? undefined : session.loop?.bind(session);
  return begin ? loopedSteps(step, begin) : fedSteps(step, session);
}

/** The feeds of a step besides weights and optimizer tensors. */
function feedsOf(
  step: TrainingStep,
  state: RunState,
  { batch, learningRate }: { readonly batch: Batch; readonly learningRate: number },
): Map<string, Tensor> {
  const target = step.graph.values.get(step.target)!.dtype; // every input of a graph has a type
  const feeds = new Map(batch.inputs);
  feeds.set(step.target, targetAs(batch.target, target));
  feeds.set(step.learningRate, scalar(learningRate));
  feeds.set(step.step, scalar(state.step + 1));
  for (const [name, input] of step.lossInputs) {
    const value = batch.lossInputs?.get(name);
    if (value) feeds.set(input, value); // the executor says which one is missing
  }
  for (const { parameter, input } of step.masks) feeds.set(input, state.masks.get(parameter)!); // the graph was made for these
  return feeds;
}
