import { crossEntropy, sgd, trainingStep } from '@espalier/autodiff';
import { createRandom, type Executor, floats, type Graph, scalar, sizeOf, type Tensor, tensor } from '@espalier/core';
import { createOnnxRuntime } from '@espalier/onnxruntime';
import { setInputShapes } from '@espalier/ops';
import { simplify } from '@espalier/passes';
import { createTensorCore } from '@espalier/tensor';
import { mobilenetV2, resnet20 } from '@espalier/zoo';
import { tensorProfile } from './training-parts/tensor-profile.js';

/**
 * Images a second of the TensorFlow.js executor and of onnxruntime-node on one thread, interleaved in one run, the
 * best of a few: forward passes with batch norms folded, and whole training steps; then where the time of a training
 * step goes, op by op.
 *
 *     tsx --conditions=@espalier/source bench/tensor-ops.ts [resnet20|mobilenet-v2] [batch] [rounds]
 */
const [model = 'resnet20', batchText = '64', roundsText = '6'] = process.argv.slice(2);
const [batch, rounds] = [Number(batchText), Number(roundsText)];
const builders: Readonly<Record<string, () => Graph>> = {
  resnet20: () => resnet20({}),
  'mobilenet-v2': () => mobilenetV2({ classes: 10, size: 32 }),
};
const build = builders[model];
if (!build) throw new Error(`no model "${model}"; there are ${Object.keys(builders).join(', ')}`);

const sized = (graph: Graph): Graph =>
  setInputShapes(
    graph,
    new Map(graph.inputs.map((name) => [name, [batch, ...graph.values.get(name)!.shape!.slice(1)]])), // inputs have shapes
  );
const forward = simplify(sized(build()));
const step = trainingStep(sized(build()), { loss: crossEntropy({}), optimizer: sgd({ momentum: 0.9 }) });

const random = createRandom(1);
const carried = [...step.parameters, ...step.state, ...step.statistics];
function feedsOf(graph: Graph): ReadonlyMap<string, Tensor> {
  const feeds = new Map<string, Tensor>(carried.map(({ input, initial }) => [input, initial]));
  feeds.set(step.learningRate, scalar(0.01)).set(step.step, scalar(1));
  return new Map(
    graph.inputs.map((name) => {
      const { dtype, shape = [] } = graph.values.get(name)!; // inputs have types
      const dims = shape.map(Number);
      const known = feeds.get(name);
      if (known) return [name, known];
      if (dtype !== 'int64') return [name, floats(Float32Array.from({ length: sizeOf(dims) }, random.normal), dims)];
      const labels = BigInt64Array.from({ length: sizeOf(dims) }, () => BigInt(random.below(10)));
      return [name, tensor('int64', dims, labels)];
    }),
  );
}

const executors: readonly Executor[] = [createTensorCore(), createOnnxRuntime({ backend: 'node', threads: 1 })];
const clock = (): number => performance.now();

async function compare(what: string, graph: Graph): Promise<void> {
  const feeds = feedsOf(graph);
  const sessions = await Promise.all(executors.map((executor) => executor.open(graph)));
  const best = sessions.map(() => Number.POSITIVE_INFINITY);
  for (let round = 0; round < rounds; round++) {
    for (const [i, session] of sessions.entries()) {
      const started = clock();
      await session.run(feeds);
      best[i] = Math.min(best[i]!, clock() - started);
    }
  }
  const rates = executors.map(({ id }, i) => `${id} ${((1000 * batch) / best[i]!).toFixed(0)}`);
  console.log(`${model}, ${what}, batch ${batch}, images a second: ${rates.join(', ')}`);
  await Promise.all(sessions.map((session) => session.close()));
}

await compare('forward', forward);
await compare('training step', step.graph);
await tensorProfile(`${model}, training step,`, step.graph, { feeds: feedsOf(step.graph), steps: rounds });
for (const executor of executors) await executor.close();
