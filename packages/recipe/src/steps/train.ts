import { inferShapes } from '@espalier/passes';
import type { TrainingEvent } from '@espalier/training';
import { missingData } from '../errors.js';
import type { Progress, StepKind } from '../step.js';
import { trainingFacts } from '../training-facts.js';
import { referenceWithOptions } from './reference-with-options.js';

/** `train: ID`: trains the model on `data.training`, measured on `data.evaluation` where that is given. */
export const trainStep: StepKind = {
  kind: 'trainer',
  options: {},
  async run(graph, { reference, where, index }, context) {
    const { registry, executor, training, evaluation, checkpoint, seed } = context;
    const { plugin } = referenceWithOptions(registry, { kind: 'trainer', driver: {}, reference, where, seed });
    if (!training) throw missingData(where, 'training');
    const show = progressOf(context.progress);
    const trained = await plugin.train(inferShapes(graph), {
      training,
      executor,
      seed,
      ...(evaluation ? { evaluation } : {}),
      ...(checkpoint ? { checkpoint: { ...checkpoint, folder: below(checkpoint.folder, `step-${index}`) } } : {}),
      events(event) {
        show(event);
        context.trainingEvents?.(event);
      },
    });
    return { graph: trained.graph, notes: [], training: trainingFacts(trained) };
  },
};

const below = (folder: string, name: string): string => (folder === '' ? name : `${folder}/${name}`);

/** Events as a line of progress: the share of the steps that is done, the loss and the rate. */
function progressOf(progress: Progress): (event: TrainingEvent) => void {
  let steps = 1;
  return (event) => {
    if (event.event === 'start') {
      steps = Math.max(1, event.steps);
      if (event.resumedAt > 0) progress(`resumed at step ${event.resumedAt} of ${event.steps}`);
    }
    if (event.event === 'step') {
      const left = `${Math.round(event.secondsLeft)} s left`;
      progress(
        'train',
        event.step / steps,
        `loss ${event.loss.toFixed(3)}, ${Math.round(event.imagesPerSecond)}/s, ${left}`,
      );
    }
    if (event.event === 'epoch') {
      const metrics = Object.entries(event.metrics ?? {}).map(([name, value]) => `, ${name} ${value.toFixed(4)}`);
      progress(`epoch ${event.epoch}: training loss ${event.loss.toFixed(4)}${metrics.join('')}`);
    }
  };
}
