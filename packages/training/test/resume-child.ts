import { distillation, sgd } from '@espalier/autodiff';
import { nodeFiles } from '@espalier/core/node';
import { createOnnxRuntime } from '@espalier/onnxruntime';
import { magnitude } from '@espalier/pruners';
import { writeSafetensors } from '@espalier/safetensors';
import { cyclical, linear } from '@espalier/schedules';
import { sparsify } from '../src/index.js';
import { toyData, toyModel } from './toy.js';

/**
 * One attempt at a run that uses everything a checkpoint must hold: momentum, running statistics, masks on a ramp
 * that falls back, so that pruned weights return, a teacher, augmentation, evaluation. Arguments: the folder of the
 * run. Prints `start N` when training begins at step N, then `step N` after each step.
 */
const folder = process.argv[2]!;
const executor = createOnnxRuntime({ threads: 1 });
const files = nodeFiles(folder);
const tell = (line: string) => process.stdout.write(`${line}\n`);
const trainer = sparsify({
  mode: 'gradual',
  pruner: magnitude(),
  sparsity: 0.6,
  before: 3,
  ramp: 20,
  rampEvery: 7,
  rampSchedule: cyclical({ cycles: 2 }),
  after: 7,
  batch: 16,
  optimizer: sgd({ lr: 0.05 }),
  schedule: linear({ to: 0.01 }),
  loss: distillation({ weight: 0.5 }),
  augment: { flip: true, crop: 1, cutout: 2 },
  evaluateEvery: 5,
  checkpointEvery: 5,
});
const trained = await trainer.train(toyModel(), {
  training: toyData(96),
  evaluation: toyData(30, 6),
  teacher: toyModel(),
  executor,
  seed: 3,
  checkpoint: { files, folder: 'checkpoints', resume: true },
  events(event) {
    if (event.event === 'start') tell(`start ${event.resumedAt}`);
    if (event.event === 'step') tell(`step ${event.step}`);
  },
});
await files.write('final.safetensors', writeSafetensors({ tensors: trained.graph.constants }));
await executor.close();
