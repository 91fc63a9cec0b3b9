import type { Phase } from '@espalier/schedules';
import { prefetch } from '../data/prefetch.js';
import { type Batch, readBatch } from '../data/read-batch.js';
import { applyPhase } from './apply-phase.js';
import { prunedTo } from './pruned-to.js';
import { rampSparsity } from './ramp-sparsity.js';
import type { RunState } from './run-state.js';
import { type Run, settleStep } from './settle-step.js';
import { stepRunners } from './step-runner.js';

/** Goes through the phases from where the state stands until the run is over. */
export async function runPhases(start: RunState, run: Run): Promise<RunState> {
  const { request, plan } = run;
  const runners = stepRunners(request);
  const batches = prefetch((step) => batchAt(step, run), { from: start.step, to: plan.total });
  let state = start;
  try {
    while (state.stopped === undefined) {
      const phase = plan.phases[state.phase];
      if (!phase) {
        state = { ...state, stopped: 'finished' };
        continue;
      }
      if (state.phaseStep === 0)
        request.events?.({ event: 'phase', phase: state.phase, do: phase.do, step: state.step });
      if (!('steps' in phase)) {
        state = next(await applyPhase(phase, state, { ...request, parameters: run.parameters, falls: plan.falls }));
      } else if (state.phaseStep >= phase.steps) {
        state = next(state);
      } else {
        const before = await ramped(phase, state, run);
        const runner = await runners.at(before);
        const began = performance.now();
        const batch = (await batches.next()).value as Batch; // there is one for each step of the plan
        const learningRate = plan.learningRate(before.step);
        const { loss, state: after } = await runner(before, batch, learningRate);
        run.pace.step(performance.now() - began);
        state = await settleStep({ before, after, loss, learningRate }, run);
      }
    }
  } finally {
    await batches.return(undefined);
    await runners.close();
  }
  return state;
}

const next = (state: RunState): RunState => ({ ...state, phase: state.phase + 1, phaseStep: 0 });

/** Within a ramp the sparsity follows its schedule, looked at every so many steps. */
const ramped = async (phase: Phase, state: RunState, { request, plan }: Run): Promise<RunState> =>
  phase.do === 'ramp' && state.phaseStep % phase.every === 0
    ? prunedTo(rampSparsity(phase, state.phaseStep, plan), state, { ...request, falls: plan.falls })
    : state;

async function batchAt(step: number, { request, plan, lossInputs }: Run): Promise<Batch> {
  const { training, model, augment = {}, seed } = request;
  const { epoch, samples } = plan.order.at(step);
  const needs = { dataset: training, inputs: model.inputs, target: plan.target };
  const batch = await readBatch(needs, samples, { augment, seed, epoch });
  return lossInputs ? { ...batch, lossInputs: await lossInputs(batch.inputs) } : batch;
}
