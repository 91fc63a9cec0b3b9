import { type AnalyzeReport, analyzeHtml } from '@espalier/analysis';
import type { Files } from '@espalier/core';
import type { AnalyzeFlags } from '../analyze-flags.js';
import { analyzeModel } from '../analyze-model.js';
import { analyzeText } from '../analyze-text.js';
import { collect, withDataFlags, withSharedFlags } from '../flags.js';
import { withInputFlags } from '../input-flags.js';
import { withWorkbench } from '../workbench.js';
import type { Verb } from './verb.js';

/** `espalier analyze MODEL`: prune or quantize, tensor by tensor and layer by layer. */
export const analyze: Verb = (command, surroundings) =>
  void withInputFlags(withDataFlags(withSharedFlags(command)))
    .option('--bits <list>', 'bit widths: 2..8, or 2,4,8', '2..8')
    .option('--layers <glob>', 'only weights or layers with matching names: * and ? (repeatable)', collect, [])
    .option(
      '--granularity <what>',
      'weights that share a scale in the recommendation: tensor, channel or group',
      'tensor',
    )
    .option('--bounds', 'add errors at the outputs of layers, with bounds that no algorithm can beat')
    .option('--against <model>', 'also measure the drift of representations to a second model')
    .option('--report <folder>', 'write analysis.json and analysis.html there')
    .action((model: string, flags: AnalyzeFlags) =>
      withWorkbench(flags, surroundings, {
        async work(bench) {
          const report = await analyzeModel(model, flags, bench);
          const written = flags.report === undefined ? [] : await writeAnalysis(bench.files, flags.report, report);
          bench.progress.close();
          bench.answer(report, () => analyzeText(report, written));
        },
      }),
    );

/** Writes analysis.json and analysis.html into a folder and returns their paths. */
async function writeAnalysis(files: Files, folder: string, report: AnalyzeReport): Promise<readonly string[]> {
  const encode = (text: string) => [new TextEncoder().encode(text)];
  const [json, html] = [`${folder}/analysis.json`, `${folder}/analysis.html`];
  await files.write(json, encode(`${JSON.stringify(report, null, 2)}\n`));
  await files.write(html, encode(analyzeHtml(report)));
  return [json, html];
}
