import { crossEntropy, sgd, trainingStep } from '@espalier/autodiff';
import { createRandom, floats, type Graph, longs, type Random, scalar, sizeOf, type Tensor } from '@espalier/core';
import { setInputShapes } from '@espalier/ops';
import { lowerCustomOps } from '@espalier/passes';
import { resnet20 } from '@espalier/zoo';
import { afterAll, describe, expect, it } from 'vitest';
import { evaluateGraph } from '../../../test/float64/evaluate-graph.js';
import { runOnnx } from '../../../test/run-onnx.js';
import { convNet, mobileNet, transformer } from '../../../test/small-nets.js';
import { createTensorCore } from './create-tensor-core.js';

const executor = createTensorCore();
afterAll(() => executor.close());

const slowly = async (graph: Graph, feeds: ReadonlyMap<string, Tensor>) => evaluateGraph(graph, feeds);
const lowered = (graph: Graph, feeds: ReadonlyMap<string, Tensor>) => runOnnx(lowerCustomOps(graph), feeds);

/** Random numbers for floats; class numbers for integers. */
function drawn(dtype: string, shape: readonly number[], random: Random): Tensor {
  const count = sizeOf(shape);
  if (dtype !== 'int64') return floats(Float32Array.from({ length: count }, random.normal), shape);
  return longs(
    Array.from({ length: count }, () => random.below(3)),
    shape,
  );
}

describe('a step of training', () => {
  it.each([
    ['resnet20', 'onnxruntime', resnet20({}), sgd({ momentum: 0.9 }), lowered],
    ['convolution and pooling', 'loops in float64', convNet(), sgd({ momentum: 0.9 }), slowly],
    ['depthwise convolution', 'loops in float64', mobileNet(), sgd({ momentum: 0.9 }), slowly],
    ['attention', 'loops in float64', transformer(), sgd({ momentum: 0.9 }), slowly],
  ] as const)('of %s gives the loss, statistics and parameters of %s', async (_, _by, graph, optimizer, reference) => {
    const shapes = graph.inputs.map((each) => [each, [8, ...graph.values.get(each)!.shape!.slice(1)]] as const);
    const step = trainingStep(setInputShapes(graph, new Map(shapes)), { loss: crossEntropy({}), optimizer });
    const random = createRandom(5);
    const carried = [...step.parameters, ...step.state, ...step.statistics];
    const feeds = new Map<string, Tensor>(carried.map(({ input, initial }) => [input, initial]));
    feeds.set(step.learningRate, scalar(0.01)).set(step.step, scalar(1));
    for (const input of step.graph.inputs) {
      const { dtype, shape = [] } = step.graph.values.get(input)!; // inputs have types
      if (!feeds.has(input)) feeds.set(input, drawn(dtype, shape.map(Number), random));
    }
    const found = await (await executor.open(step.graph)).run(feeds);
    const want = await reference(step.graph, feeds);
    const values = (of: readonly (readonly [string, Tensor | undefined])[], results: ReadonlyMap<string, Tensor>) =>
      of.flatMap(([output, initial]) => {
        const before = initial?.data as Float32Array | undefined; // parameters are floats
        return Array.from(results.get(output)!.data as Float32Array, (each, i) => each - (before?.[i] ?? 0));
      });
    // Parameters move little in one step, so what moved is compared.
    const moved = step.parameters.map(({ output, initial }) => [output, initial] as const);
    const statistics = step.statistics.map(({ output }) => [output, undefined] as const);
    const loss = [[step.loss, undefined]] as const;
    for (const [of, most] of [
      [loss, 1e-4],
      [statistics, 1e-5],
      [moved, 1e-3],
    ] as const)
      expect(distance(values(of, want), values(of, found))).toBeLessThan(most);
  });
});

/** |a - b| / |a|, by the Euclidean norm of all numbers together. */
function distance(a: readonly number[], b: readonly number[]): number {
  const norm = (list: readonly number[]) => Math.sqrt(list.reduce((sum, each) => sum + each * each, 0));
  return norm(a.map((each, i) => each - b[i]!)) / (norm(a) || 1);
}
