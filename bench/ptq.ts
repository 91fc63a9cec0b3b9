import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { coverageOf } from '@espalier/analysis';
import { calibrate } from '@espalier/calibration';
import { createRandom, floats, type Graph, instantiate, noEvidence, staticShape, tensorInfo } from '@espalier/core';
import { nodeFiles } from '@espalier/core/node';
import { decodeOnnx, writeOnnx } from '@espalier/onnx';
import { createOnnxRuntime } from '@espalier/onnxruntime';
import { inferShapes } from '@espalier/ops';
import { simplify } from '@espalier/passes';
import { staticQuantizer } from '@espalier/quantizers';
import { registry } from 'espalier';
import { modelsFolder } from '../test/fixtures.js';
import { randomizeWeights } from '../test/randomize-weights.js';

/**
 * Static quantization from file to file, each run in a process of its own: seconds and peak resident memory by stage,
 * and what onnxruntime made of the result.
 *
 *     tsx --conditions=@espalier/source bench/ptq.ts observers [model] [images]   one row for each observer
 *     tsx --conditions=@espalier/source bench/ptq.ts topologies [images]          one row for each network, min-max
 */
const [mode = 'observers', ...rest] = process.argv.slice(2);
const folder = modelsFolder();
if (!folder) throw new Error('Set ESPALIER_MODELS to a folder with topologies/*.onnx.gz.');

const again = (...args: readonly string[]) =>
  process.stdout.write(execFileSync(process.execPath, [...process.execArgv, process.argv[1]!, 'one', ...args]));
const head =
  'model              observer    read simplify calibrate quantize write  s | peak MB | convolutions fused | quantized float conversions | stayed float';

if (mode === 'observers') {
  console.log(head);
  const [model = 'mobilenet_v2', images = '100'] = rest;
  for (const observer of ['minmax', 'percentile', 'entropy', 'mse']) again(model, images, observer);
} else if (mode === 'topologies') {
  console.log(head);
  const [images = '8'] = rest;
  for (const file of readdirSync(`${folder}/topologies`).sort()) again(file.replace('.onnx.gz', ''), images, 'minmax');
} else {
  const [model, images, observer] = rest as [string, string, string]; // given by `again`
  console.log(await row(model, { images: Number(images), observer }));
}

async function row(
  model: string,
  { images, observer }: { readonly images: number; readonly observer: string },
): Promise<string> {
  const seconds: number[] = [];
  let since = performance.now();
  const lap = () => {
    seconds.push((performance.now() - since) / 1000);
    since = performance.now();
  };
  let graph = randomizeWeights(
    decodeOnnx(new Uint8Array(gunzipSync(readFileSync(`${folder}/topologies/${model}.onnx.gz`)))),
    1,
  );
  lap();
  graph = simplify(inferShapes(graph));
  lap();
  const quantizer = staticQuantizer({
    activations: { observer: instantiate(registry.find('observer', observer), {}) },
  });
  const executor = createOnnxRuntime();
  const plan = quantizer(graph);
  const evidence = plan.needs.length
    ? await calibrate(plan.graph, plan.needs, { executor, batches: () => batches(graph, images), total: images })
    : noEvidence;
  lap();
  const outcome = plan.apply(evidence);
  lap();
  const place = mkdtempSync(join(tmpdir(), 'espalier-ptq-'));
  try {
    const files = nodeFiles(place);
    await writeOnnx(outcome.graph, files, { path: 'quantized.onnx' });
    lap();
    const peak = process.resourceUsage().maxRSS / 1000;
    const optimized = await executor.optimized!({ files, path: 'quantized.onnx' }); // onnxruntime in Node shows it
    const coverage = coverageOf(optimized, outcome.notes);
    const convolutions = graph.nodes.filter(({ op }) => op === 'Conv').length;
    const fused = coverage.ops.quantized['QLinearConv'] ?? 0;
    const kinds = new Map<string, number>();
    for (const { op } of coverage.stayedFloat) kinds.set(op, (kinds.get(op) ?? 0) + 1);
    return [
      `${model.padEnd(19)}${observer.padEnd(10)} ${seconds.map((each) => each.toFixed(1).padStart(6)).join(' ')}`,
      peak.toFixed(0).padStart(7),
      `${fused} of ${convolutions}`.padStart(18),
      `${coverage.quantizedOps} ${coverage.floatOps} ${coverage.conversions}`.padStart(27),
      [...kinds].map(([op, count]) => `${op} ${count}`).join(' '),
    ].join(' | ');
  } finally {
    await executor.close();
    rmSync(place, { recursive: true, force: true });
  }
}

/** One random image at a time, as photographs would come. */
async function* batches(graph: Graph, count: number) {
  const input = graph.inputs[0]!; // torchvision's networks have one
  const [, channels = 3, height = 224, width = 224] =
    staticShape(graph, input) ??
    (tensorInfo(graph, input)?.shape ?? []).map((dim) => (typeof dim === 'number' ? dim : undefined));
  const random = createRandom(2);
  for (let i = 0; i < count; i++) {
    const image = Float32Array.from({ length: channels * height * width }, random.normal);
    yield new Map([[input, floats(image, [1, channels, height, width])]]);
  }
}
