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
      progress(`epoch ${event.epoch}: training loss ${event.loss.toFixed(4)}${metrics.join('')}`);
    }
  };
}
