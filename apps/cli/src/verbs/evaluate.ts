import { evaluateSession } from '@espalier/analysis';
import { batchesFor, openData, openModel, openSession, portsOf } from '@espalier/recipe';
import { dataSource } from '../data-source.js';
import {
  type DataFlags,
  numberFlag,
  preprocessOf,
  type SharedFlags,
  withDataFlags,
  withSharedFlags,
} from '../flags.js';
import { countText, percentText } from '../number-text.js';
import { factTable } from '../text-table.js';
import { withWorkbench } from '../workbench.js';
import type { Verb } from './verb.js';

/** `espalier evaluate MODEL --data SPEC`: accuracy and loss on labelled data. */
export const evaluate: Verb = (program, surroundings) =>
  void withDataFlags(
    withSharedFlags(
      program.command('evaluate').description('measure accuracy and loss on labelled data').argument('<model>'),
    ),
  )
    .option('--batch <n>', 'samples run at once', '64')
    .action((model: string, flags: SharedFlags & DataFlags & { readonly batch: string }) =>
      withWorkbench(flags, surroundings, {
        async work({ registry, executor, files, seed, progress, answer }) {
          const source = dataSource('--data', flags.data, preprocessOf(flags));
          progress.show('read');
          const { graph } = await openModel(registry, files, model);
          const inputs = portsOf(graph);
          const dataset = await openData(source, {
            registry,
            files,
            inputs,
            seed,
            where: '--data',
            progress: progress.show,
          });
          const session = await openSession(executor, { graph, file: { files, path: model } });
          const batch = numberFlag('--batch', flags.batch, { min: 1, integer: true }) ?? 64;
          const found = await evaluateSession(session, batchesFor(dataset, inputs, { batch, labels: true })(), {
            progress: (done) => progress.show('evaluate', done / dataset.size),
          });
          const result = { ...found, executor: await executor.describe() };
          answer(result, () =>
            factTable([
              ['samples', countText(result.samples)],
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
