import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { calibrate } from '@espalier/calibration';
import { createRandom, floats, type Need, tensorInfo } from '@espalier/core';
import { decodeOnnx } from '@espalier/onnx';
import { createOnnxRuntime } from '@espalier/onnxruntime';
import { inferShapes } from '@espalier/ops';
import { modelsFolder } from '../test/fixtures.js';
import { randomizeWeights } from '../test/randomize-weights.js';

/**
 * Peak resident memory and time of calibrating every activation of a network, per statistic, each in a process of
 * its own; plain inference for comparison.
 *
 *     tsx --conditions=@espalier/source bench/calibration-memory.ts [model] [batch] [batches]
 */
const [model = 'mobilenet_v2', batch = '8', count = '4', statistic] = process.argv.slice(2);

const needs: Readonly<Record<string, (value: string) => Need>> = {
  range: (value) => ({ statistic: 'range', value }),
  channelRange: (value) => ({ statistic: 'channelRange', value, axis: 1 }),
  moments: (value) => ({ statistic: 'moments', value, axis: 1 }),
  histogram: (value) => ({ statistic: 'histogram', value, bins: 2048 }),
};

if (statistic === undefined) {
  for (const each of ['inference', ...Object.keys(needs)]) {
    const args = [...process.execArgv, process.argv[1]!, model, batch, count, each];
    process.stdout.write(execFileSync(process.execPath, args));
  }
} else {
  console.log(await measure(statistic));
}

async function measure(name: string): Promise<string> {
  const folder = modelsFolder();
  if (!folder) throw new Error('Set ESPALIER_MODELS to a folder with topologies/*.onnx.gz.');
  const bytes = new Uint8Array(gunzipSync(readFileSync(`${folder}/topologies/${model}.onnx.gz`)));
  const graph = inferShapes(randomizeWeights(decodeOnnx(bytes), 1));
  const input = graph.inputs[0]!;
  const side = Number(tensorInfo(graph, input)?.shape?.[2] ?? 224);
  const random = createRandom(2);
  const batches = async function* () {
    for (let i = 0; i < Number(count); i++) {
      const image = Float32Array.from({ length: Number(batch) * 3 * side * side }, random.next);
      yield new Map([[input, floats(image, [Number(batch), 3, side, side])]]);
    }
  };
  const values = graph.nodes
    .flatMap((node) => node.outputs)
    .filter((value): value is string => value !== undefined)
    .filter((value) => {
      const info = tensorInfo(graph, value);
      return info?.dtype === 'float32' && (info.shape?.length ?? 0) >= 2;
    });
  const executor = createOnnxRuntime();
  const start = performance.now();
  const need = needs[name];
  if (need) await calibrate(graph, values.map(need), { executor, batches });
  else {
    const session = await executor.open(graph);
    for await (const feeds of batches()) await session.run(feeds);
  }
  const ms = (performance.now() - start) / (Number(batch) * Number(count));
  const peak = process.resourceUsage().maxRSS / 1024;
  return `${name.padEnd(13)} ${values.length} values  peak ${peak.toFixed(0)} MB  ${ms.toFixed(0)} ms an image`;
}
