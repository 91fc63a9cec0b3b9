import { readdirSync, readFileSync } from 'node:fs';
import { createRandom, EspalierError } from '@espalier/core';
import { decodeOnnx, encodeOnnx } from '@espalier/onnx';
import { mutations } from '../packages/onnx/test/mutate.js';
import { modelsFolder } from '../test/fixtures.js';

/**
 * Reads seeded damaged copies of the real models, writes what could be read, and counts what became of them. Anything but a graph or an
 * EspalierError ends the run with exit code 1.
 *
 *     tsx --conditions=@espalier/source bench/fuzz-onnx.ts [count] [seed]
 */
const count = Number(process.argv[2] ?? 2000);
const seed = Number(process.argv[3] ?? 1);

const folder = modelsFolder();
if (!folder) throw new Error('Set ESPALIER_MODELS to a folder of .onnx files.');
const models = readdirSync(folder)
  .filter((name) => name.endsWith('.onnx'))
  .map((name) => ({ name, bytes: new Uint8Array(readFileSync(`${folder}/${name}`)) }));

const outcomes = new Map<string, number>();
const escaped: string[] = [];
let slowest = { ms: 0, what: '' };
const random = createRandom(seed);
for (let i = 0; i < count; i++) {
  const model = models[random.below(models.length)]!;
  const other = models[random.below(models.length)]!;
  const mutation = mutations[i % mutations.length]!;
  const bytes = mutation.apply(model.bytes, random, other.bytes);
  const start = performance.now();
  let outcome = 'read';
  try {
    encodeOnnx(decodeOnnx(bytes, { where: model.name }));
  } catch (error) {
    outcome = error instanceof EspalierError ? error.code : 'escaped';
    if (outcome === 'escaped') escaped.push(`case ${i}, ${mutation.name} of ${model.name}: ${error}`);
  }
  const ms = performance.now() - start;
  if (ms > slowest.ms) slowest = { ms, what: `case ${i}, ${mutation.name} of ${model.name}, ${outcome}` };
  outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
}

for (const [outcome, times] of [...outcomes].sort((a, b) => b[1] - a[1])) {
  console.log(`${String(times).padStart(6)}  ${outcome}`);
}
console.log(`slowest: ${slowest.ms.toFixed(1)} ms (${slowest.what})`);
console.log(`peak memory: ${(process.resourceUsage().maxRSS / 1024).toFixed(0)} MiB`);
for (const line of escaped) console.log(line);
process.exitCode = escaped.length > 0 ? 1 : 0;
