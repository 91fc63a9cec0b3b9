import {
  type Dim,
  EspalierError,
  type Executor,
  type Files,
  type Graph,
  instantiate,
  type Registry,
  resolveReference,
} from '@espalier/core';
import { axisRulesOf, inferShapes, setInputShapes } from '@espalier/ops';
import { convertOpset, simplify } from '@espalier/passes';
import { checkInputRequest, checkOutput, openModel, openSession, sizedGraph, stageOutput } from '@espalier/recipe';
import { badFlag, collect, numberFlag, type SharedFlags, withSharedFlags } from '../flags.js';
import { dimsOf, withDimsFlag } from '../input-flags.js';
import { bytesText, countText } from '../number-text.js';
import { factTable } from '../text-table.js';
import { withWorkbench } from '../workbench.js';
import type { Verb } from './verb.js';

interface ConvertFlags extends SharedFlags {
  readonly output: string;
  readonly force?: true;
  readonly opset?: string;
  readonly simplify?: true;
  readonly pass: readonly string[];
  readonly input: readonly string[];
  readonly dims: readonly string[];
  readonly externalData: string;
  readonly sparse?: true;
}

/** `espalier convert MODEL -o OUT`: another opset, folded constants and batch norms, external or inline data. */
export const convert: Verb = (command, surroundings) =>
  void withDimsFlag(withSharedFlags(command))
    .requiredOption('-o, --output <file>', 'the file to write')
    .option('--opset <n>', 'convert up to this version of the standard operator set')
    .option('--simplify', 'fold constants and batch norms, remove nodes without effect')
    .option('--input <name=shape>', 'fix an input shape, such as image=1x3x224x224 (repeatable)', collect, [])
    .option(
      '--pass <id>',
      'run a pass, after --simplify if that is given (repeatable; `plugins` lists them)',
      collect,
      [],
    )
    .option('--external-data <when>', 'auto, always or never', 'auto')
    .option('--force', "replace the run's own input or a write-protected file")
    .option('--sparse', 'store tensors with many zeros as sparse initializers')
    .action((model: string, flags: ConvertFlags) =>
      withWorkbench(flags, surroundings, {
        async work({ registry, executor, files, progress, answer }) {
          progress.show('read');
          const { graph, format, bytes } = await openModel(registry, files, model);
          const exporter = instantiate(registry.find('export', 'onnx'), {
            externalData: flags.externalData,
            ...(flags.sparse ? { sparse: true } : {}),
          });
          const force = flags.force ?? false;
          await checkOutput({ files, inputs: [model], output: flags.output, exporter, force });
          const converted = rewritten(graph, flags, registry);
          progress.show('write');
          const staged = await stageOutput(converted, { exporter, files, path: flags.output });
          try {
            progress.show('load');
            const loaded = await loads(executor, {
              original: { graph, path: model },
              graph: converted,
              path: staged.path,
              files,
            });
            const written = await staged.accept();
            const runtime = await executor.describe();
            const result = {
              input: { path: model, format, bytes, nodes: graph.nodes.length, opset: graph.opsets.get('') ?? 0 },
              loaded: loaded === undefined,
              output: {
                paths: written,
                bytes: staged.bytes,
                nodes: converted.nodes.length,
                opset: converted.opsets.get('') ?? 0,
              },
            };
            answer(result, () =>
              factTable([
                ['written', written.join(', ')],
                ['opset', `${result.input.opset} to ${result.output.opset}`],
                ['nodes', `${countText(result.input.nodes)} to ${countText(result.output.nodes)}`],
                ['size', `${bytesText(bytes)} to ${bytesText(staged.bytes)}`],
                ['loaded', loaded === undefined ? `in ${runtime}` : `no, nor does the input: ${loaded}`],
              ]),
            );
          } finally {
            await staged.discard();
          }
        },
      }),
    );

/**
 * Loads what was written. A model that the runtime loaded before and no longer loads is an error; for one that it never
 * loaded, the reason is returned.
 */
async function loads(
  executor: Executor,
  {
    original,
    graph,
    path,
    files,
  }: {
    readonly original: { readonly graph: Graph; readonly path: string };
    /** For runtimes that take graphs alone. */
    readonly graph: Graph;
    readonly path: string;
    readonly files: Files;
  },
): Promise<string | undefined> {
  try {
    await (await openSession(executor, { graph, file: { files, path } })).close();
    return undefined;
  } catch (cause) {
    if (!(cause instanceof EspalierError)) throw cause;
    const before = { graph: original.graph, file: { files, path: original.path }, foreign: true };
    const session = await openSession(executor, before).catch(() => undefined);
    if (!session) return cause.message;
    await session.close();
    throw cause;
  }
}

function rewritten(
  graph: Graph,
  { input, dims, pass, simplify: simple, opset }: ConvertFlags,
  registry: Registry,
): Graph {
  const sizes = { dims: dimsOf(dims), shapes: new Map(), values: new Map(), tensors: new Map() };
  checkInputRequest([graph], sizes);
  const sized = sizedGraph(graph, sizes);
  let current = input.length ? setInputShapes(sized, new Map(input.map(inputShape))) : sized;
  if (simple) current = simplify(inferShapes(current));
  for (const reference of pass) {
    const run = resolveReference(registry, { kind: 'pass', reference, where: '--pass' });
    current = run(inferShapes(current), { axes: axisRulesOf(registry) });
  }
  const version = numberFlag('--opset', opset, { min: 7, integer: true });
  return version === undefined ? current : convertOpset(inferShapes(current), version);
}

function inputShape(text: string): [string, readonly Dim[]] {
  const at = text.lastIndexOf('=');
  const dims = text
    .slice(at + 1)
    .split(/[x,]/)
    .map((part) => (/^\d+$/.test(part) ? Number(part) : part));
  if (at < 1 || dims.some((dim) => dim === '')) throw badFlag('--input', 'NAME=SHAPE, such as image=1x3x224x224', text);
  return [text.slice(0, at), dims];
}
