import { compress, defineRecipe } from '@espalier/recipe';
import { compressText } from '../compress-text.js';
import { demoNetwork } from '../demo/network.js';
import { type SharedFlags, withSharedFlags } from '../flags.js';
import { version } from '../version.js';
import { withWorkbench } from '../workbench.js';
import { writeReport } from '../write-report.js';
import type { Verb } from './verb.js';

/** The recipe of the demo. */
const recipe = defineRecipe({
  espalier: 1,
  data: {
    training: { use: 'synthetic', with: { split: 'train' } },
    calibration: { use: 'synthetic', with: { split: 'train', take: 256 } },
    evaluation: { use: 'synthetic', with: { split: 'test', take: 2000 } },
  },
  steps: [
    { prune: { use: 'magnitude', with: { sparsity: 0.6, scope: 'global' } } },
    // Batch norms still stand: they are what lets a pruned network recover. They are folded afterwards.
    { train: { use: 'finetune', with: { epochs: 3, learningRate: 0.02 } } },
    { pass: 'simplify' },
    { quantize: { use: 'static', with: { activations: { observer: 'mse' } } } },
  ],
});

/** `espalier demo`: prunes, quantizes, exports and verifies an embedded network on data that it makes itself. */
export const demo: Verb = (command, surroundings) =>
  void withSharedFlags(command)
    .option('-o, --output <folder>', 'folder for the models and the report', 'espalier-demo')
    .action((flags: SharedFlags & { readonly output: string }) =>
      withWorkbench(flags, surroundings, {
        async work({ registry, executor, files, seed, progress, answer }) {
          const folder = flags.output.replace(/\/+$/, '');
          const input = `${folder}/network.onnx`;
          await files.write(input, [demoNetwork()]);
          const report = await compress({
            recipe: { ...recipe, seed },
            registry,
            executor,
            files,
            input,
            output: `${folder}/network-small.onnx`,
            versions: { espalier: version, node: process.versions.node },
            progress: progress.show,
          });
          const written = await writeReport(files, folder, report);
          progress.close();
          answer(report, () =>
            [
              'A convolutional network for ten classes of drawn shapes: 60 % of its weights set to zero, trained again, then 8-bit integers.',
              '',
              compressText(report, written),
            ].join('\n'),
          );
        },
      }),
    );
