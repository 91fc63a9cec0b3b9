import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { type Graph, isFloat, sizeOf, staticShape, usesOf } from '@espalier/core';
import { decodeOnnx } from '@espalier/onnx';
import { inferShapes } from '@espalier/ops';
import { explainBatchNorms, simplify } from '@espalier/passes';
import { modelsFolder } from '../test/fixtures.js';
import { randomizeWeights } from '../test/randomize-weights.js';
import { largestDifference, randomFeeds, runOnnx } from '../test/run-onnx.js';

/**
 * Simplifies torchvision's networks and checks them: `tsx --conditions=@espalier/source bench/topologies.ts [name..]`.
 * One process a network, so that the peak of its memory is its own. Weights are seeded random ones; the difference is
 * that of the simplified network's outputs in onnxruntime, relative to the largest output.
 */

/** Parameters as torchvision's documentation lists them; evaluation exports of the last two lack the auxiliary heads. */
const published: Readonly<Record<string, number>> = {
  alexnet: 61_100_840,
  convnext_tiny: 28_589_128,
  densenet121: 7_978_856,
  efficientnet_b0: 5_288_548,
  mnasnet0_5: 2_218_512,
  mobilenet_v2: 3_504_872,
  mobilenet_v3_small: 2_542_856,
  regnet_x_400mf: 5_495_976,
  regnet_y_400mf: 4_344_144,
  resnet18: 11_689_512,
  resnet50: 25_557_032,
  resnext50_32x4d: 25_028_904,
  shufflenet_v2_x0_5: 1_366_792,
  shufflenet_v2_x1_0: 2_278_604,
  squeezenet1_1: 1_235_496,
  swin_t: 28_288_354,
  vgg19_bn: 143_678_248,
  vit_b_16: 86_567_656,
  googlenet: 6_624_904,
  inception_v3: 23_834_568,
};

/** Elements of float constants, without single numbers and the running statistics of batch norms. */
function parametersOf(graph: Graph): number {
  let count = 0;
  for (const [name, { dtype, shape }] of graph.constants) {
    const use = usesOf(graph, name)[0];
    const statistic = use?.node.op === 'BatchNormalization' && use.slot > 2;
    if (isFloat(dtype) && shape.length > 0 && use && !statistic) count += sizeOf(shape);
  }
  return count;
}

const batchNormsIn = (graph: Graph) => graph.nodes.filter(({ op }) => op === 'BatchNormalization').length;

/** Share of node outputs whose rank and dtype are known, and of those whose sizes are numbers but for the batch. */
function shapesKnown(graph: Graph): string {
  const outputs = graph.nodes.flatMap((node) => node.outputs.filter((value) => value !== undefined));
  const known = outputs.filter((value) => graph.values.get(value)?.shape);
  const fixed = known.filter(
    (value) =>
      staticShape(graph, value) ||
      graph.values
        .get(value)
        ?.shape?.slice(1)
        .every((dim) => typeof dim === 'number'),
  );
  return `${known.length}/${outputs.length} (${fixed.length} fixed)`;
}

/** Why batch norms stayed, with how many stayed for that reason. */
function reasons(graph: Graph): readonly string[] {
  const counts = new Map<string, number>();
  for (const { reason } of explainBatchNorms(graph)) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  return [...counts].map(([reason, count]) => `\n    ${count} x ${reason}`);
}

async function measure(path: string, name: string): Promise<string> {
  const bytes = new Uint8Array(gunzipSync(readFileSync(path)));
  const start = performance.now();
  const graph = decodeOnnx(bytes);
  const imported = performance.now();
  inferShapes(graph);
  const simple = simplify(graph);
  const done = performance.now();
  const peak = process.resourceUsage().maxRSS / 1024;
  const size = name === 'inception_v3' ? 299 : 224;
  const original = randomizeWeights(graph, 7);
  const feeds = randomFeeds(original, { sizes: { batch: 1, N: 1, height: size, width: size } });
  const weighted = simplify(original);
  const difference = largestDifference(await runOnnx(original, feeds), await runOnnx(weighted, feeds));
  const folded = `${batchNormsIn(graph) - batchNormsIn(simple)}/${batchNormsIn(simple)}`;
  const parameters = parametersOf(graph);
  const off = parameters - (published[name] ?? 0);
  return [
    name.padEnd(20),
    (imported - start).toFixed(0).padStart(6),
    (done - imported).toFixed(0).padStart(8),
    `${graph.nodes.length}>${simple.nodes.length}`.padStart(10),
    folded.padStart(8),
    shapesKnown(simple).padStart(22),
    `${parameters}${off ? ` (${off > 0 ? '+' : ''}${off})` : ' ='}`.padStart(22),
    difference.toExponential(1).padStart(9),
    `${peak.toFixed(0)} MB (file ${(bytes.length / 2 ** 20).toFixed(0)})`.padStart(20),
    ...reasons(simple),
  ].join(' ');
}

const folder = `${modelsFolder()}/topologies`;
const [flag, ...rest] = process.argv.slice(2);
if (flag === '--one') {
  console.log(await measure(`${folder}/${rest[0]}.onnx.gz`, rest[0]!));
} else {
  const wanted = flag ? [flag, ...rest] : readdirSync(folder).map((file) => file.replace('.onnx.gz', ''));
  console.log(
    'network          import ms simplify nodes  bn folded/left  shapes known  parameters  difference  peak  constants',
  );
  for (const name of wanted) {
    const run = spawnSync(process.execPath, [...process.execArgv, fileURLToPath(import.meta.url), '--one', name], {
      encoding: 'utf8',
    });
    console.log(
      run.status === 0 ? run.stdout.trimEnd() : `${name}: ${run.stderr.trim().split('\n').slice(0, 8).join('\n')}`,
    );
  }
}
