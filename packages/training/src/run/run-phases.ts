import type { Phase } from '@espalier/schedules';
import { prefetch } from '../data/prefetch.js';
import { type Batch, readBatch } from '../data/read-batch.js';
import { applyPhase } from './apply-phase.js';
import { prunedTo } from './pruned-to.js';
import { rampSparsity } from './ramp-sparsity.js';
import type { RunState } from './run-state.js';
import { type Run, settleStep } from './settle-step.js';
import { type StepRunner, stepRunner } from './step-runner.js';

/** Goes through the phases from where the state stands until the run is over. */
export async function runPhases(start: RunState, run: Run): Promise<RunState> {
  const { request, plan } = run;
  const runner = stepRunner(request);
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
        const context = { ...request, parameters: run.parameters, falls: plan.falls };
        state = next(await applyPhase(phase, await runner.settled(state), context));
      } else if (state.phaseStep >= phase.steps) {
        state = next(state);
      } else {
        const before = await ramped(phase, state, { run, runner });
        const began = performance.now();
        const batch = (await batches.next()).value as Batch; // there is one for each step of the plan
        const learningRate = plan.learningRate(before.step);
        const { loss, state: after } = await runner.step(before, batch, learningRate);
        run.pace.step(performance.now() - began);
        state = await settleStep({ before, after, loss, learningRate }, run, runner.settled);
      }
    }
    return await runner.settled(state);
  } finally {
    await batches.return(undefined);
    await runner.close();
  }
}

const next = (state: RunState): RunState => ({ ...state, phase: state.phase + 1, phaseStep: 0 });

/** Within a ramp the sparsity follows its schedule, looked at every so many steps. */
async function ramped(
  phase: Phase,
  state: RunState,
  { run: { request, plan }, runner }: { readonly run: Run; readonly runner: StepRunner },
): Promise<RunState> {
  if (phase.do !== 'ramp' || state.phaseStep % phase.every !== 0) return state;
  const pruning = { ...request, falls: plan.falls };
  return prunedTo(rampSparsity(phase, state.phaseStep, plan), await runner.settled(state), pruning);
}

async function batchAt(step: number, { request, plan, lossInputs }: Run): Promise<Batch> {
  const { training, model, augment = {}, seed } = request;
  const { epoch, samples } = plan.order.at(step);
  const needs = { dataset: training, inputs: model.inputs, target: plan.target };
  const batch = await readBatch(needs, samples, { augment, seed, epoch });
  return lossInputs ? { ...batch, lossInputs: await lossInputs(batch.inputs) } : batch;
}
