import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { adviceSummary, adviseWeights } from '@espalier/bounds';
import { createWorkerRunner } from '@espalier/bounds/node';
import { buildGraph, floats } from '@espalier/core';
import { build } from 'esbuild';

/**
 * Time to judge the weights of a network of many millions of weights at 2 to 8 bits, in worker threads:
 *
 *     tsx --conditions=@espalier/source bench/analyze.ts [millions] [threads]
 */
const [millions = '100', threads = String(availableParallelism())] = process.argv.slice(2);

const b = buildGraph();
const side = 2048;
let x = b.input('x', 'float32', ['batch', side]);
for (let left = Number(millions) * 1e6; left > 0; left -= side * side) {
  x = b.add('MatMul', [x, b.constant('w', floats(heavyTailed(side * side, left), [side, side]))]);
}
b.output(x);
const graph = b.finish();

// Threads of Node 20 do not read TypeScript.
const outfile = join(tmpdir(), 'espalier-weight-worker.mjs');
const source = fileURLToPath(new URL('../packages/bounds/src/weights-advice/weight-worker.ts', import.meta.url));
await build({
  entryPoints: [source],
  bundle: true,
  platform: 'node',
  format: 'esm',
  conditions: ['@espalier/source'],
  outfile,
});

const runner = createWorkerRunner({ threads: Number(threads), module: pathToFileURL(outfile) });
const started = performance.now();
const cpu = process.cpuUsage();
const { weights } = await adviseWeights(graph, { runner });
const seconds = (performance.now() - started) / 1000;
const { user, system } = process.cpuUsage(cpu);
await runner.close();
const count = weights.reduce((sum, weight) => sum + weight.count, 0);
console.log(
  `${weights.length} tensors, ${(count / 1e6).toFixed(1)} million weights: ${seconds.toFixed(1)} s with ${threads} threads, ` +
    `${((user + system) / 1e6).toFixed(1)} s of processor time, ${(((user + system) * 1e3) / count).toFixed(0)} ns a weight`,
);
console.table(adviceSummary(weights));

/** Products of two uniform numbers: a peak and tails, as trained weights have. */
function heavyTailed(count: number, seed: number): Float32Array {
  const out = new Float32Array(count);
  let word = seed | 1;
  const next = () => {
    word ^= word << 13;
    word ^= word >>> 17;
    word ^= word << 5;
    return word / 2 ** 31;
  };
  for (let i = 0; i < count; i++) out[i] = next() * next();
  return out;
}
