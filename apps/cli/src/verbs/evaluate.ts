import { evaluateSession } from '@espalier/analysis';
import { batchesFor, openModel, openSession } from '@espalier/recipe';
import { type DataFlags, numberFlag, type SharedFlags, withDataFlags, withSharedFlags } from '../flags.js';
import { type InputFlags, withInputFlags } from '../input-flags.js';
import { percentText } from '../number-text.js';
import { fedText, openSamples } from '../open-samples.js';
import { factTable } from '../text-table.js';
import { withWorkbench } from '../workbench.js';
import type { Verb } from './verb.js';

/** `espalier evaluate MODEL --data SPEC`: accuracy and loss on labelled data. */
export const evaluate: Verb = (command, surroundings) =>
  void withInputFlags(withDataFlags(withSharedFlags(command)))
    .option('--batch <n>', 'samples run at once', '64')
    .action((model: string, flags: SharedFlags & DataFlags & InputFlags & { readonly batch: string }) =>
      withWorkbench(flags, surroundings, {
        async work(bench) {
          const { registry, executor, files, progress, answer } = bench;
          progress.show('read');
          const opened = await openModel(registry, files, model);
          const { graph } = opened;
          const { dataset, inputs, fed } = await openSamples([{ ...opened, path: model }], { flags }, bench);
          const session = await openSession(executor, { graph, file: { files, path: model }, foreign: true });
          const batch = numberFlag('--batch', flags.batch, { min: 1, integer: true }) ?? 64;
          const found = await evaluateSession(session, batchesFor(dataset, inputs, { batch, labels: true })(), {
            progress: (done) => progress.show('evaluate', done / dataset.size),
          });
          const result = { ...found, fed, executor: await executor.describe() };
          answer(result, () =>
            factTable([
              ['measured on', fedText(result.samples, fed)],
              ['top-1', percentText(result.metrics.top1)],
              ...(result.metrics.top5 === undefined ? [] : [['top-5', percentText(result.metrics.top5)] as const]),
              ['loss', result.metrics.loss.toFixed(4)],
              ['executor', result.executor],
              ['seconds', result.seconds.toFixed(2)],
            ]),
          );
        },
      }),
    );
