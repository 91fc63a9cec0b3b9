import { readdirSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { explainConstants, trainingForm } from '@espalier/autodiff';
import { EspalierError, type Graph, sizeOf } from '@espalier/core';
import { decodeOnnx } from '@espalier/onnx';
import * as zoo from '@espalier/zoo';
import { modelsFolder } from '../test/fixtures.js';

/**
 * Which constants of the reference architectures and of the models folder are trained, and why the others are not, as
 * training sees them: `tsx --conditions=@espalier/source bench/parameters.ts [--all] [name..]`. Trained ones are counted
 * by role, unless `--all` lists them too.
 */
const flags = process.argv.slice(2).filter((each) => each.startsWith('--'));
const wanted = process.argv.slice(2).filter((each) => !each.startsWith('--'));

const models = new Map<string, () => Graph>();
for (const each of Object.values(zoo)) if ('kind' in each && each.kind === 'model') models.set(each.id, () => each());
for (const folder of ['.', 'topologies']) {
  const path = `${modelsFolder()}/${folder}`;
  for (const file of readdirSync(path).filter((name) => /\.onnx(\.gz)?$/.test(name))) {
    const bytes = () => readFileSync(`${path}/${file}`);
    models.set(file, () => decodeOnnx(file.endsWith('.gz') ? gunzipSync(bytes()) : bytes(), { where: file }));
  }
}

for (const [name, build] of models) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  try {
    report(name, build());
  } catch (cause) {
    if (!(cause instanceof EspalierError)) throw cause;
    console.log(`\n${name}: ${cause.message}`);
  }
}

function report(name: string, model: Graph): void {
  const rows = explainConstants(model);
  const graph = trainingForm(model);
  const counts = new Map<string, { constants: number; elements: number; examples: string[] }>();
  for (const { value, role, reason } of rows) {
    const key = role ? `trained as ${role}` : `not trained: ${reason}`;
    const sum = counts.get(key) ?? { constants: 0, elements: 0, examples: [] };
    sum.constants++;
    sum.elements += sizeOf(graph.constants.get(value)!.shape); // explained are constants of the graph
    if (sum.examples.length < 3 || flags.includes('--all')) sum.examples.push(value);
    counts.set(key, sum);
  }
  console.log(`\n${name}: ${rows.length} float constants`);
  for (const [key, { constants, elements, examples }] of [...counts].sort()) {
    const more = constants > examples.length ? ', ..' : '';
    console.log(`  ${key}: ${constants} (${elements} numbers): ${examples.join(', ')}${more}`);
  }
}
