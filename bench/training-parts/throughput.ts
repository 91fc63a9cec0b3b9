import type { TrainingStep } from '@espalier/autodiff';
import type { Executor, Graph } from '@espalier/core';
import { createOnnxRuntime } from '@espalier/onnxruntime';
import { lowerCustomOps } from '@espalier/passes';
import { createTensorCore } from '@espalier/tensor';
import { trainer } from './model-step.js';

interface Variant {
  readonly name: string;
  readonly run: () => Promise<number>;
  readonly losses: number[];
  /** Milliseconds of each step: on the wall, and of processor time. */
  readonly wall: number[];
  readonly used: number[];
}

/**
 * Images a second of steps on onnxruntime (its fast form and the plain one) and on TensorFlow.js, taken in turns, so that
 * what else the machine does falls on all alike. Images per second of processor time hold where others use it too.
 */
export async function throughput(
  step: TrainingStep,
  { model, batch, steps }: { readonly model: string; readonly batch: number; readonly steps: number },
): Promise<void> {
  const [one, two, core] = [
    createOnnxRuntime({ backend: 'node', threads: 1 }),
    createOnnxRuntime({ backend: 'node', threads: 2 }),
    createTensorCore(),
  ];
  const variant = async (name: string, executor: Executor, graph: Graph): Promise<Variant> => {
    const run = trainer(step, await executor.open(graph));
    return { name, run, losses: [], wall: [], used: [] };
  };
  const variants = [
    await variant('onnxruntime fast, 1 thread', one, step.graph),
    await variant('onnxruntime fast, 2 threads', two, step.graph),
    await variant('onnxruntime plain, 1 thread', one, lowerCustomOps(step.graph)),
    await variant('tfjs wasm', core, step.graph),
  ];
  for (let i = 0; i <= steps; i++) for (const each of variants) await timed(each, i > 0);
  console.log(`\n${model}, batch ${batch}, ${step.graph.nodes.length} nodes; images a second over ${steps} steps`);
  console.log(`${''.padEnd(28)}    best  median  per second of processor time`);
  for (const { name, wall, used, losses } of variants) {
    const rate = (times: readonly number[], share: number) => {
      const sorted = [...times].sort((a, b) => a - b);
      return ((batch * 1000) / sorted[Math.floor((sorted.length - 1) * share)]!).toFixed(1).padStart(7);
    };
    const ends = `loss ${losses[0]!.toFixed(5)} -> ${losses.at(-1)!.toFixed(5)}`;
    console.log(`${name.padEnd(28)} ${rate(wall, 0)} ${rate(wall, 0.5)} ${rate(used, 0.5).padStart(9)}  ${ends}`);
  }
  await Promise.all([one.close(), two.close(), core.close()]);
}

async function timed({ run, losses, wall, used }: Variant, counts: boolean): Promise<void> {
  const [start, before] = [performance.now(), process.cpuUsage()];
  losses.push(await run());
  const { user, system } = process.cpuUsage(before);
  if (!counts) return; // the first step warms up
  used.push((user + system) / 1000);
  wall.push(performance.now() - start);
}
