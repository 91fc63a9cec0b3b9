import { type Comparison, compareSessions } from '@espalier/analysis';
import { batchesFor, openModel, openSession, type Samples } from '@espalier/recipe';
import { type DataFlags, numberFlag, type SharedFlags, withDataFlags, withSharedFlags } from '../flags.js';
import { type InputFlags, withInputFlags } from '../input-flags.js';
import { bytesText, differenceText, percentText, ratioText } from '../number-text.js';
import { fedText, openSamples } from '../open-samples.js';
import { factTable, textTable } from '../text-table.js';
import { withWorkbench } from '../workbench.js';
import type { Verb } from './verb.js';

/** `espalier compare A B`: how far the outputs of two models are apart, and which is smaller and faster. */
export const compare: Verb = (command, surroundings) =>
  void withInputFlags(withDataFlags(withSharedFlags(command)))
    .option('--batch <n>', 'samples run at once')
    .option('--no-latency', 'do not measure the speed')
    .action(
      (
        a: string,
        b: string,
        flags: SharedFlags & DataFlags & InputFlags & { readonly batch?: string; readonly latency: boolean },
      ) =>
        withWorkbench(flags, surroundings, {
          async work(bench) {
            const { registry, executor, files, progress, answer } = bench;
            progress.show('read');
            const [left, right] = [await openModel(registry, files, a), await openModel(registry, files, b)];
            const { dataset, inputs, fed } = await openSamples(
              [
                { ...left, path: a },
                { ...right, path: b },
              ],
              { flags, standIn: 'random:16' },
              bench,
            );
            const batch = numberFlag('--batch', flags.batch, { min: 1, integer: true });
            const comparison = await compareSessions(
              await openSession(executor, { graph: left.graph, file: { files, path: a }, foreign: true }),
              await openSession(executor, { graph: right.graph, file: { files, path: b }, foreign: true }),
              {
                batches: batchesFor(dataset, inputs, {
                  labels: dataset.fields.has('label'),
                  ...(batch ? { batch } : {}),
                })(),
                bytes: { a: left.bytes, b: right.bytes },
                ...(flags.latency ? {} : { latency: false as const }),
                progress: (done) => progress.show('compare', done / dataset.size),
              },
            );
            answer({ ...comparison, fed }, () => comparisonText(comparison, fed));
          },
        }),
    );

/** A comparison as text: one row an output, then agreement, speed and size. */
export function comparisonText(
  { outputs, top1Agreement, top1, latency, bytes, samples, unmatched }: Comparison,
  fed: Samples['fed'],
): string {
  const rows = outputs.map((output) => [
    output.name,
    differenceText(output),
    output.maxAbs.toPrecision(3),
    output.cosine.toFixed(6),
  ]);
  return [
    textTable(['output', 'SNR', 'largest difference', 'cosine'], rows),
    '',
    factTable([
      ['compared on', fedText(samples, fed)],
      ...(top1Agreement === null ? [] : [['same top-1', percentText(top1Agreement)] as const]),
      ...(top1 === null ? [] : [['top-1', `${percentText(top1.a)} and ${percentText(top1.b)}`] as const]),
      ...(latency === null
        ? []
        : [
            [
              'latency',
              `${latency.aMs.toFixed(2)} ms and ${latency.bMs.toFixed(2)} ms, ratio ${ratioText(latency.ratio)}`,
            ] as const,
          ]),
      ...(bytes === null
        ? []
        : [['size', `${bytesText(bytes.a)} and ${bytesText(bytes.b)}, ratio ${ratioText(bytes.ratio)}`] as const]),
      ...(unmatched.length === 0 ? [] : [['only in one', unmatched.join(', ')] as const]),
    ]),
  ].join('\n');
}
