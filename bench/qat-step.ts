import { crossEntropy, sgd, trainingStep } from '@espalier/autodiff';
import { evidenceOf, type Graph, needKey } from '@espalier/core';
import { createOnnxRuntime } from '@espalier/onnxruntime';
import { inferShapes, setInputShapes } from '@espalier/ops';
import { learnedQuantizer } from '@espalier/quantizers';
import { createTensorCore } from '@espalier/tensor';
import { models, trainer, firstFeeds } from './training-parts/model-step.js';
import { onnxruntimeProfile } from './training-parts/onnxruntime-profile.js';

const float = inferShapes(models['real']!());
const learned = (w: number, a: number, batchNorm: 'batch' | 'fold', granularity: 'channel' | 'tensor' = 'channel'): Graph => {
  const plan = learnedQuantizer({ weights: { bits: w, granularity }, activations: { bits: a }, batchNorm })(float);
  const counts = new Float64Array(2048).fill(1);
  return plan.apply(evidenceOf(new Map(plan.needs.map((n) => [needKey(n), { min: (n as any).value.includes('Relu') || (n as any).value.includes('Global') ? 0 : -3, max: 3, counts }])), 1)).graph;
};
const variants: [string, Graph][] = [['float', float], ['w4a8', learned(4, 8, 'batch')], ['w4a4', learned(4, 4, 'batch')]];
const batch = 64;
const profile = process.argv.includes('--profile');
for (const [which, executor] of [['ort', createOnnxRuntime({ threads: 1 })], ['wasm', createTensorCore()]] as const) {
  if (process.argv.includes('--ort') && which !== 'ort') continue;
  const runs = [];
  for (const [name, graph] of variants) {
    const shapes = graph.inputs.map((n) => [n, [batch, ...graph.values.get(n)!.shape!.slice(1)]] as const);
    const step = trainingStep(setInputShapes(graph, new Map(shapes)), { loss: crossEntropy({}), optimizer: sgd({ momentum: 0.9 }) });
    if (profile && which === 'ort') { await onnxruntimeProfile(name, step.graph, { feeds: firstFeeds(step), steps: 4, threads: 1 }); continue; }
    const run = trainer(step, await executor.open(step.graph));
    await run();
    runs.push({ name, run, times: [] as number[] });
  }
  for (let i = 0; i < 6; i++) for (const r of runs) { const c = process.cpuUsage(); await r.run(); const u = process.cpuUsage(c); r.times.push((u.user + u.system) / 1000); }
  for (const r of runs) { const s = [...r.times].sort((a, b) => a - b); console.log(which, r.name, 'median ms cpu', s[2]!.toFixed(0), 'ratio', (s[2]! / [...runs[0]!.times].sort((a, b) => a - b)[2]!).toFixed(2)); }
  await executor.close();
}
