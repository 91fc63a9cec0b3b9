import { parametersOf } from '@espalier/autodiff';
import { definePlugin, type Graph, matchNames, type Trained, type Trainer, type TrainerContext } from '@espalier/core';
import { coupled } from '@espalier/pruners';
import { trainByOptions, trainingBatches } from '@espalier/training';
import { getaNotes } from './geta-notes.js';
import { type GetaOptions, getaOptions } from './geta-options.js';
import { getaPlan, stagesOf } from './geta-plan.js';
import { readMemory } from './qasso/memory.js';
import { qasso } from './qasso/qasso.js';
import { quantizedStart } from './quantized-start.js';
import { writeGeta } from './write-geta.js';

/**
 * GETA (Qu et al. 2025, arXiv 2502.16638): structured pruning and mixed-precision quantization-aware training in one
 * run. The model that comes out is cut and written in integers.
 */
export const geta = definePlugin({
  kind: 'trainer',
  id: 'geta',
  about: 'Removes channels and learns the bits of every layer while it trains, then writes the smaller integer model.',
  options: getaOptions,
  create: (options): Trainer => ({
    changesGraph: true,
    train: (graph, context) => trainJointly(graph, options, context),
  }),
});

async function trainJointly(given: Graph, options: GetaOptions, context: TrainerContext): Promise<Trained> {
  const stages = stagesOf(options, Math.max(1, Math.floor(context.training.size / options.batch)));
  const start = await quantizedStart(given, options, {
    executor: context.executor,
    batches: () => trainingBatches({ ...context, model: given, batch: options.batch }, options.calibrationBatches),
  });
  const net = coupled(start);
  const frozen = matchNames(options.freeze);
  const parameters = new Set(
    parametersOf(start)
      .map(({ value }) => value)
      .filter((value) => !frozen(value)),
  );
  const plan = getaPlan(net, { options, stages, trained: (value) => parameters.has(value) });
  const project = Object.assign(qasso(plan), {
    key: JSON.stringify([stages, plan.widths, plan.criteria, options.sparsity, options.goal]),
  });
  const { warm, projection, joint, cool } = stages;
  const phases = [warm, projection.steps, joint.steps, cool].map((steps) => ({ do: 'train', steps }) as const);
  const trained = await trainByOptions(start, {
    options: {
      ...options,
      scaleRate: options.quantizerRate,
      keepZeros: false,
      patience: 0,
      keepBest: false,
      monitor: '',
    },
    context,
    plan: { phases, project },
  });
  if (trained.reason === 'cancelled') return trained;
  const memory = readMemory(trained.memory ?? new Map(), plan);
  const { graph, notes } = writeGeta(trained.graph, plan, memory);
  return { ...trained, graph, notes: [...getaNotes(plan, memory), ...notes] };
}
