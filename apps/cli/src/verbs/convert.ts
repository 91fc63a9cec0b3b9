import { type Dim, type Graph, instantiate } from '@espalier/core';
import { inferShapes, setInputShapes } from '@espalier/ops';
import { convertOpset, simplify } from '@espalier/passes';
import { checkOutput, openModel } from '@espalier/recipe';
import { badFlag, numberFlag, type SharedFlags, withSharedFlags } from '../flags.js';
import { bytesText, countText } from '../number-text.js';
import { factTable } from '../text-table.js';
import { withWorkbench } from '../workbench.js';
import type { Verb } from './verb.js';

interface ConvertFlags extends SharedFlags {
  readonly output: string;
  readonly force?: true;
  readonly opset?: string;
  readonly simplify?: true;
  readonly input: readonly string[];
  readonly externalData: string;
  readonly sparse?: true;
}

/** `espalier convert MODEL -o OUT`: another opset, folded constants and batch norms, external or inline data. */
export const convert: Verb = (program, surroundings) =>
  void withSharedFlags(
    program.command('convert').description('write a model in another form, with the same function').argument('<model>'),
  )
    .requiredOption('-o, --output <file>', 'the file to write')
    .option('--opset <n>', 'convert up to this version of the standard operator set')
    .option('--simplify', 'fold constants and batch norms, remove nodes without effect')
    .option(
      '--input <name=shape>',
      'fix an input shape, such as image=1x3x224x224 (repeatable)',
      (value: string, before: readonly string[]) => [...before, value],
      [],
    )
    .option('--external-data <when>', 'auto, always or never', 'auto')
    .option('--force', "replace the run's own input or a write-protected file")
    .option('--sparse', 'store tensors with many zeros as sparse initializers')
    .action((model: string, flags: ConvertFlags) =>
      withWorkbench(flags, surroundings, {
        async work({ registry, files, progress, answer }) {
          progress.show('read');
          const { graph, format, bytes } = await openModel(registry, files, model);
          const exporter = instantiate(registry.find('export', 'onnx'), {
            externalData: flags.externalData,
            ...(flags.sparse ? { sparse: true } : {}),
          });
          const force = flags.force ?? false;
          await checkOutput({ files, inputs: [model], output: flags.output, exporter, force });
          const converted = rewritten(graph, flags);
          progress.show('write');
          const written = await exporter.write(converted, files, flags.output);
          const after = (await Promise.all(written.map((path) => files.size(path)))).reduce<number>(
            (sum, size) => sum + (size ?? 0),
            0,
          );
          const result = {
            input: { path: model, format, bytes, nodes: graph.nodes.length, opset: graph.opsets.get('') ?? 0 },
            output: {
              paths: written,
              bytes: after,
              nodes: converted.nodes.length,
              opset: converted.opsets.get('') ?? 0,
            },
          };
          answer(result, () =>
            factTable([
              ['written', written.join(', ')],
              ['opset', `${result.input.opset} to ${result.output.opset}`],
              ['nodes', `${countText(result.input.nodes)} to ${countText(result.output.nodes)}`],
              ['size', `${bytesText(bytes)} to ${bytesText(after)}`],
            ]),
          );
        },
      }),
    );

function rewritten(graph: Graph, { input, simplify: simple, opset }: ConvertFlags): Graph {
  let current = input.length ? setInputShapes(graph, new Map(input.map(inputShape))) : graph;
  if (simple) current = simplify(inferShapes(current));
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
