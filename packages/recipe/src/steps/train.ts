import type { TrainerContext, TrainingEvent } from '@espalier/core';
import { inferShapes } from '@espalier/ops';
import { missingData, stopped } from '../errors.js';
import { openTeacher } from '../open-teacher.js';
import type { Progress, StepContext } from '../step.js';
import { trainingFacts } from '../training-facts.js';
import { collectEvidence } from './collect-evidence.js';
import { defineStep } from './define-step.js';

/** `train: ID`: trains the model on `data.training`, measured on `data.evaluation` where that is given. */
export const trainStep = defineStep({
  kind: 'trainer',
  options: {
    teacher: {
      type: 'reference',
      kind: 'model',
      about:
        'what losses such as distillation learn from: `original` for the model as the recipe began, the path of a model file, or an architecture',
    },
  },
  check({ where, recipe }) {
    if (!recipe.data?.training) throw missingData(where, 'training');
  },
  async run(graph, { made: trainer, options, where, index, context }) {
    const { executor, training, evaluation, seed, signal } = context;
    if (!training) throw missingData(where, 'training');
    const teacher = options.teacher && (await openTeacher(options.teacher, `${where}.with.teacher`, context));
    const checkpoint = checkpointOf(context, index);
    const show = progressOf(context.progress);
    const trained = await trainer.train(inferShapes(graph), {
      training,
      executor,
      seed,
      ...(evaluation ? { evaluation } : {}),
      ...(teacher ? { teacher: inferShapes(teacher) } : {}),
      evidence: evidenceOf(where, context),
      ...(checkpoint ? { checkpoint } : {}),
      ...(signal ? { signal } : {}),
      events(event) {
        if (!signal?.aborted) show(event); // showing may end a run whose user asked to stop; its state is written first
        context.trainingEvents?.(event);
      },
    });
    if (trained.reason === 'cancelled') throw stopped(where, { step: trained.steps, folder: checkpoint?.folder });
    return { graph: trained.graph, notes: trained.notes ?? [], training: trainingFacts(trained) };
  },
});

/** Each step keeps its state in a folder of its own. */
function checkpointOf({ checkpoint }: StepContext, index: number): TrainerContext['checkpoint'] {
  if (!checkpoint) return undefined;
  const { folder } = checkpoint;
  return { ...checkpoint, folder: folder === '' ? `step-${index}` : `${folder}/step-${index}` };
}

const evidenceOf =
  (where: string, context: StepContext): NonNullable<TrainerContext['evidence']> =>
  (graph, needs) =>
    collectEvidence(graph, needs, { where, context });

/** Events as stages of progress: one an epoch, with its loss and the time left of the whole training, then its result. */
function progressOf(progress: Progress): (event: TrainingEvent) => void {
  let perEpoch = 1;
  return (event) => {
    if (event.event === 'start') {
      perEpoch = Math.max(1, event.stepsPerEpoch);
      if (event.resumedAt > 0) progress(`resumed at step ${event.resumedAt} of ${event.steps}`);
    }
    if (event.event === 'step') {
      const before = event.step - 1;
      const rate = `${Math.round(event.imagesPerSecond)} samples/s, ${Math.ceil(event.secondsLeft)} s of training left`;
      const share = ((before % perEpoch) + 1) / perEpoch;
      progress(`epoch ${Math.floor(before / perEpoch) + 1}`, share, `loss ${event.loss.toFixed(3)}, ${rate}`);
    }
    if (event.event === 'epoch') {
      const metrics = Object.entries(event.metrics ?? {}).map(([name, value]) => `, ${name} ${value.toFixed(4)}`);
      const zeros = event.sparsity === undefined ? '' : `, ${(100 * event.sparsity).toFixed(1)} % pruned`;
      progress(`epoch ${event.epoch}: training loss ${event.loss.toFixed(4)}${metrics.join('')}${zeros}`);
    }
  };
}
