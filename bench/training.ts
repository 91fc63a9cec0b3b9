import { lowerCustomOps } from '@espalier/passes';
import { firstFeeds, stepOf } from './training-parts/model-step.js';
import { onnxruntimeProfile } from './training-parts/onnxruntime-profile.js';
import { residentMemories, residentMemory } from './training-parts/resident-memory.js';
import { tensorProfile } from './training-parts/tensor-profile.js';
import { throughput } from './training-parts/throughput.js';

/**
 * Training steps (forward, backward, momentum) of ResNet-20, MobileNetV2 at 32x32, LeNet-5, a ViT and an encoder on
 * onnxruntime and in WebAssembly: for each, images a second taken in turns, then where the time goes, op by op.
 *
 *     tsx --conditions=@espalier/source bench/training.ts [MODEL..] [--batch 64] [--rounds 5] [--steps 8] [--peer PYTHON]
 *
 * MODEL is one of resnet20, mobilenet-v2, lenet5, vit, encoder and real, the trained ResNet-20 of the models folder.
 * PYTHON is one that has PyTorch: its eager and compiled steps, in both layouts and on one and two threads, take turns
 * with ours, and the ratios are printed. Only parts of it: `--no-profile`; `--only-profile`, where `--plain` adds onnxruntime's plain form and `--threads 2` profiles it on two
 * threads.
 *
 *     tsx --conditions=@espalier/source bench/training.ts --memory [--steps 2000]
 *
 * prints the resident memory of `train()` over 2,000 steps of LeNet-5, and a fortieth of that of ResNet-20, at ten points.
 */
const words = process.argv.slice(2);
const has = (flag: string): boolean => words.includes(flag);
const numberAfter = (flag: string, fallback: number): number =>
  has(flag) ? Number(words[words.indexOf(flag) + 1]) : fallback;
const withValue = ['--batch', '--steps', '--rounds', '--threads', '--peer'];
const named = words.filter((word, i) => !word.startsWith('--') && !withValue.includes(words[i - 1] ?? ''));
const batch = numberAfter('--batch', 64);

if (has('--memory-of')) {
  const [executor, model, size, steps] = named as [string, string, string, string]; // as residentMemories gives them
  await residentMemory(executor, model, [Number(size), Number(steps)]);
} else if (has('--memory')) {
  const steps = numberAfter('--steps', 2000);
  const runs = [
    { model: 'lenet5', steps },
    { model: 'resnet20', steps: Math.max(10, Math.floor(steps / 40)) },
  ];
  residentMemories(runs, batch);
} else {
  const [steps, rounds] = [numberAfter('--steps', 8), numberAfter('--rounds', 5)];
  const peer = has('--peer') ? { peer: words[words.indexOf('--peer') + 1]! } : {};
  for (const model of named.length > 0 ? named : ['resnet20', 'mobilenet-v2', 'lenet5', 'vit', 'encoder']) {
    const step = stepOf(model, batch);
    if (!has('--only-profile')) await throughput(step, { model, batch, steps, rounds, ...peer });
    if (has('--no-profile')) continue;
    const given = { feeds: firstFeeds(step), steps, threads: numberAfter('--threads', 1) };
    await onnxruntimeProfile(`${model} on onnxruntime, fast,`, step.graph, given);
    if (has('--plain')) await onnxruntimeProfile(`${model} on onnxruntime, plain,`, lowerCustomOps(step.graph), given);
    await tensorProfile(`${model} on tfjs wasm,`, step.graph, given);
  }
}
