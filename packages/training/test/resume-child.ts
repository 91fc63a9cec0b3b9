import { nodeFiles } from '@espalier/core/node';
import { createOnnxRuntime } from '@espalier/onnxruntime';
import { writeSafetensors } from '@espalier/safetensors';
import { cubic, phasePlan } from '@espalier/schedules';
import { train } from '../src/index.js';
import { keepLargest, toyRequest } from './toy.js';

/**
 * One attempt at a run that uses everything a checkpoint must hold: momentum, running statistics, masks on a ramp,
 * augmentation, evaluation. Arguments: the folder of the run. Prints `start N` when training begins at step N.
 */
const folder = process.argv[2]!;
const executor = createOnnxRuntime({ threads: 1 });
const files = nodeFiles(folder);
const ramp = 300;
const trained = await train(
  toyRequest(executor, {
    phases: phasePlan({
      mode: 'gradual',
      before: 60,
      ramp,
      every: 7,
      after: 240,
      sparsity: cubic({ to: 0.6, end: ramp }),
    }),
    prune: keepLargest,
    augment: { flip: true, crop: 1, cutout: 2 },
    learningRate: (step) => 0.05 / (1 + step / 200),
    checkpoint: { files, folder: 'checkpoints', every: 5, resume: true },
    events: (event) => {
      if (event.event === 'start') process.stdout.write(`start ${event.resumedAt}\n`);
    },
  }),
);
await files.write('final.safetensors', writeSafetensors({ tensors: trained.graph.constants }));
await executor.close();
