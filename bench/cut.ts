import { buildGraph, createRandom, floats, int } from '@espalier/core';
import { inferShapes } from '@espalier/ops';
import { coupled, cut } from '@espalier/pruners';

/**
 * Time and memory of `coupled` and `cut` on a chain of six dense layers of 4096 units, 100 million parameters, half
 * of whose units go: `tsx --conditions=@espalier/source bench/cut.ts`. Memory is the peak of the process beyond what
 * it held before the weights were made, in sizes of the model.
 */
const width = 4096;
const before = process.memoryUsage.rss();
const random = createRandom(1);
const b = buildGraph();
let x = b.input('x', 'float32', ['batch', width]);
for (let layer = 0; layer < 6; layer++) {
  const weight = new Float32Array(width * width);
  for (let i = 0; i < weight.length; i++) weight[i] = random.next();
  const product = b.add('Gemm', [x, b.constant(`w${layer}`, floats(weight, [width, width]))], {
    attributes: { transB: int(1) },
  });
  x = b.add('Relu', [product]);
}
b.output(x);
const graph = inferShapes(b.finish());
const bytes = [...graph.constants.values()].reduce((sum, { data }) => sum + (data as Float32Array).byteLength, 0);

let start = performance.now();
const net = coupled(graph);
const groups = net.groups.filter(({ prunable }) => prunable);
const grouping = performance.now() - start;
const removals = new Map(groups.map(({ id, units }) => [id, Array.from({ length: units / 2 }, (_, i) => 2 * i)]));
start = performance.now();
const small = cut(net, removals);
const cutting = performance.now() - start;
const left = [...small.constants.values()].reduce((sum, { data }) => sum + (data as Float32Array).length, 0);
const peak = process.resourceUsage().maxRSS * 1024 - before;
console.log(
  `${(bytes / 4e6).toFixed(1)}M parameters: ${groups.length} groups in ${grouping.toFixed(0)} ms, cut to ${(left / 1e6).toFixed(1)}M in ${cutting.toFixed(0)} ms, peak ${(peak / bytes).toFixed(2)} times the model`,
);
