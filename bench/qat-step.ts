import { crossEntropy, sgd, trainingStep } from '@espalier/autodiff';
import { evidenceOf, type Graph, needKey } from '@espalier/core';
import { createOnnxRuntime } from '@espalier/onnxruntime';
import { inferShapes, setInputShapes } from '@espalier/ops';
import { learnedQuantizer } from '@espalier/quantizers';
import { createTensorCore } from '@espalier/tensor';
import { models, trainer } from './training-parts/model-step.js';

/**
 * Processor time of a training step with learned quantizers beside that of the float step, for the trained ResNet-20 on
 * onnxruntime (one thread) and in WebAssembly. The forms take turns; a figure is the median of their steps.
 *
 *     tsx --conditions=@espalier/source bench/qat-step.ts [BATCH] [STEPS]
 */
const [batch, steps] = [Number(process.argv[2] ?? 64), Number(process.argv[3] ?? 6)];
const float = inferShapes(models['real']!()); // it is there

function learned(weights: number, activations: number): Graph {
  const plan = learnedQuantizer({ weights: { bits: weights }, activations: { bits: activations } })(float);
  const counts = new Float64Array(2048).fill(1);
  const rangeOf = (value: string) => ({ min: /Relu|Global/.test(value) ? 0 : -3, max: 3, counts });
  const seen = plan.needs.map((need) => [needKey(need), rangeOf('value' in need ? need.value : '')] as const);
  return plan.apply(evidenceOf(new Map(seen), 1)).graph;
}

const forms = new Map<string, Graph>([
  ['float', float],
  ['W4A8', learned(4, 8)],
  ['W4A4', learned(4, 4)],
]);
const executors = { onnxruntime: createOnnxRuntime({ threads: 1 }), wasm: createTensorCore() };
const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1]!;
for (const [name, executor] of Object.entries(executors)) {
  const runs: { readonly form: string; readonly run: () => Promise<number>; readonly times: number[] }[] = [];
  for (const [form, graph] of forms) {
    const shapes = graph.inputs.map((input) => [input, [batch, ...graph.values.get(input)!.shape!.slice(1)]] as const);
    const options = { loss: crossEntropy({}), optimizer: sgd({ momentum: 0.9 }) };
    const step = trainingStep(setInputShapes(graph, new Map(shapes)), options);
    const run = trainer(step, await executor.open(step.graph));
    await run();
    runs.push({ form, run, times: [] });
  }
  for (let i = 0; i < steps; i++) {
    for (const { run, times } of runs) {
      const before = process.cpuUsage();
      await run();
      const { user, system } = process.cpuUsage(before);
      times.push((user + system) / 1000);
    }
  }
  for (const { form, times } of runs) {
    const ratio = (median(times) / median(runs[0]!.times)).toFixed(2);
    console.log(`${name.padEnd(12)} ${form.padEnd(6)} ${median(times).toFixed(0).padStart(6)} ms   ${ratio}`);
  }
  await executor.close();
}
