import { adam, crossEntropy, sgd, trainingStep } from '@espalier/autodiff';
import { createRandom, floats, scalar, sizeOf, type Tensor, tensor } from '@espalier/core';
import { lowerCustomOps, setInputShapes } from '@espalier/passes';
import { lenet5, mobilenetV2, resnet20 } from '@espalier/zoo';
import { afterAll, describe, expect, it } from 'vitest';
import { largestDifference, runOnnx } from '../../../test/run-onnx.js';
import { createTensorCore } from './create-tensor-core.js';

const executor = createTensorCore();
afterAll(() => executor.close());

const nets = {
  resnet20: () => resnet20({}),
  lenet5: () => lenet5({}),
  'mobilenet-v2': () => mobilenetV2({ classes: 10, size: 32 }),
} as const;

describe('a step of training', () => {
  it.each([
    ['resnet20', sgd({ momentum: 0.9 })],
    ['lenet5', adam({})],
    ['mobilenet-v2', sgd({ momentum: 0.9 })],
  ] as const)('of %s gives the loss, statistics and parameters that onnxruntime gives', async (name, optimizer) => {
    const graph = nets[name]();
    const shapes = graph.inputs.map((each) => [each, [4, ...graph.values.get(each)!.shape!.slice(1)]] as const);
    const step = trainingStep(setInputShapes(graph, new Map(shapes)), { loss: crossEntropy({}), optimizer });
    const random = createRandom(5);
    const carried = [...step.parameters, ...step.state, ...step.statistics];
    const feeds = new Map<string, Tensor>(carried.map(({ input, initial }) => [input, initial]));
    feeds.set(step.learningRate, scalar(0.01)).set(step.step, scalar(1));
    for (const input of step.graph.inputs) {
      if (feeds.has(input)) continue;
      const { dtype, shape = [] } = step.graph.values.get(input)!; // inputs have types
      const dims = shape.map(Number);
      if (dtype === 'int64')
        feeds.set(
          input,
          tensor(
            'int64',
            dims,
            BigInt64Array.from({ length: sizeOf(dims) }, (_, i) => BigInt(i)),
          ),
        );
      else feeds.set(input, floats(Float32Array.from({ length: sizeOf(dims) }, random.normal), dims));
    }
    const found = await (await executor.open(step.graph)).run(feeds);
    const want = await runOnnx(lowerCustomOps(step.graph), feeds);
    // Parameters move little in one step, so what moved is compared.
    const moved = (results: ReadonlyMap<string, Tensor>) =>
      new Map(
        step.parameters.map(({ name: parameter, initial, output }) => {
          const before = initial.data as Float32Array; // parameters are floats
          const after = results.get(output)!.data as Float32Array;
          return [
            parameter,
            floats(
              after.map((each, i) => each - before[i]!),
              initial.shape,
            ),
          ];
        }),
      );
    const rest = (results: ReadonlyMap<string, Tensor>) =>
      new Map([step.loss, ...step.statistics.map(({ output }) => output)].map((each) => [each, results.get(each)!]));
    expect(largestDifference(rest(want), rest(found))).toBeLessThan(1e-4);
    // Adam divides gradients by their own size, so those near zero move by their rounding.
    expect(largestDifference(moved(want), moved(found))).toBeLessThan(name === 'lenet5' ? 0.05 : 2e-3);
  });
});
