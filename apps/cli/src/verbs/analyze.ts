import { type AnalyzeReport, analyzeHtml } from '@espalier/analysis';
import { type AdviceGranularity, adviceBits, sameThread } from '@espalier/bounds';
import { createWorkerRunner } from '@espalier/bounds/node';
import type { Files } from '@espalier/core';
import { type AnalyzeRequest, analyzeModel } from '@espalier/recipe';
import type { AnalyzeFlags } from '../analyze-flags.js';
import { analyzeText } from '../analyze-text.js';
import { dataSource } from '../data-source.js';
import { badFlag, collect, numberFlag, preprocessOf, withDataFlags, withSharedFlags } from '../flags.js';
import { inputRequestOf, withInputFlags } from '../input-flags.js';
import { version } from '../version.js';
import { type Workbench, withWorkbench } from '../workbench.js';
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
          const report = await analyzeModel(await requestOf(model, flags, bench));
          const written = flags.report === undefined ? [] : await writeAnalysis(bench.files, flags.report, report);
          bench.progress.close();
          bench.answer(report, () => analyzeText(report, written));
        },
      }),
    );

async function requestOf(input: string, flags: AnalyzeFlags, bench: Workbench): Promise<AnalyzeRequest> {
  const { registry, executor, files, seed, progress } = bench;
  const threads = numberFlag('--threads', flags.threads, { min: 1, max: 256, integer: true });
  return {
    ...{ registry, executor, files, seed, input },
    bits: bitsFlag(flags.bits),
    granularity: granularityFlag(flags.granularity),
    layers: flags.layers,
    bounds: flags.bounds === true,
    against: flags.against,
    ...(flags.data === undefined
      ? {}
      : { data: dataSource('--data', flags.data, preprocessOf(flags)), dataName: flags.data }),
    given: await inputRequestOf(flags, files),
    runner: (weights) =>
      threads === 1 || weights < worthThreads
        ? sameThread
        : createWorkerRunner(threads === undefined ? {} : { threads }),
    progress: progress.show,
    versions: { espalier: version, node: process.versions.node },
  };
}

/** Below so many weights, threads take longer to start than to work. */
const worthThreads = 4e6;

/** Reads `2..8`, `4` or `2,4,8`. @throws FLAG_INVALID. */
function bitsFlag(text: string): readonly number[] {
  const [from, to, ...more] = text.split('..').map(Number);
  const listed = text.includes('..')
    ? adviceBits.filter((bits) => bits >= (from ?? 0) && bits <= (to ?? 0))
    : text.split(',').map(Number);
  const inRange = text.includes('..') ? more.length === 0 && [from, to].every(isWidth) : listed.every(isWidth);
  if (!inRange || listed.length === 0) throw badFlag('--bits', 'whole numbers from 2 to 8: 2..8, 4, or 2,4,8', text);
  return listed;
}

const isWidth = (bits: number | undefined): boolean => bits !== undefined && adviceBits.includes(bits);

function granularityFlag(text: string): AdviceGranularity {
  if (text === 'tensor' || text === 'channel' || text === 'group') return text;
  throw badFlag('--granularity', 'tensor, channel or group', text);
}

/** Writes analysis.json and analysis.html into a folder and returns their paths. */
async function writeAnalysis(files: Files, folder: string, report: AnalyzeReport): Promise<readonly string[]> {
  const encode = (text: string) => [new TextEncoder().encode(text)];
  const [json, html] = [`${folder}/analysis.json`, `${folder}/analysis.html`];
  await files.write(json, encode(`${JSON.stringify(report, null, 2)}\n`));
  await files.write(html, encode(analyzeHtml(report)));
  return [json, html];
}
