import { spawnSync } from 'node:child_process';
import { crossEntropy, sgd } from '@espalier/autodiff';
import { createRandom, type Executor, floats, sizeOf, type Tensor, tensor } from '@espalier/core';
import { tensorSet } from '@espalier/datasets';
import { createOnnxRuntime } from '@espalier/onnxruntime';
import { createTensorCore } from '@espalier/tensor';
import { train } from '@espalier/training';
import { models } from './model-step.js';

const executors: Readonly<Record<string, () => Executor>> = {
  onnxruntime: () => createOnnxRuntime({ backend: 'node', threads: 1 }),
  tfjs: () => createTensorCore(),
};

/** Resident memory of runs of `train()`, each in a process of its own, on both executors. */
export function residentMemories(
  runs: readonly { readonly model: string; readonly steps: number }[],
  batch: number,
): void {
  const script = process.argv[1]!; // this bench
  for (const { model, steps } of runs) {
    for (const executor of Object.keys(executors)) {
      const given = [
        '--expose-gc',
        ...process.execArgv,
        script,
        '--memory-of',
        executor,
        model,
        `${batch}`,
        `${steps}`,
      ];
      const { status } = spawnSync(process.execPath, given, { stdio: 'inherit' });
      if (status !== 0) throw new Error(`the run of ${model} on ${executor} failed`);
    }
  }
}

/**
 * Trains on random images through `train()` and prints the resident memory at ten points. Garbage is collected before
 * each look, so that what is left is what is held.
 */
export async function residentMemory(
  executor: string,
  model: string,
  [batch, steps]: readonly [number, number],
): Promise<void> {
  const graph = models[model]!();
  const name = graph.inputs[0]!; // images
  const count = 20 * batch;
  const shape = [count, ...graph.values.get(name)!.shape!.slice(1).map(Number)];
  const random = createRandom(1);
  const fields = new Map<string, Tensor>([
    [name, floats(Float32Array.from({ length: sizeOf(shape) }, random.normal), shape)],
    [
      'label',
      tensor(
        'int32',
        [count],
        Int32Array.from({ length: count }, () => random.below(10)),
      ),
    ],
  ]);
  const runtime = executors[executor]!();
  const seen: string[] = [];
  const every = Math.max(1, Math.floor(steps / 10));
  const began = performance.now();
  await train({
    model: graph,
    training: tensorSet({ name: 'random', fields }),
    loss: crossEntropy({}),
    optimizer: sgd({ momentum: 0.9 }),
    schedule: () => 0.01,
    steps,
    batch,
    seed: 1,
    executor: runtime,
    events(event) {
      if (event.event !== 'step' || event.step % every !== 0) return;
      globalThis.gc?.();
      seen.push((process.memoryUsage.rss() / 2 ** 20).toFixed(0));
    },
  });
  await runtime.close();
  const seconds = ((performance.now() - began) / 1000).toFixed(0);
  const peak = (process.resourceUsage().maxRSS / 1024).toFixed(0);
  console.log(
    `${model}, batch ${batch}, ${executor}, ${steps} steps in ${seconds} s: resident MB every ${every} steps ${seen.join(' ')}; peak ${peak}`,
  );
}
