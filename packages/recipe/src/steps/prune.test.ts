import {
  buildGraph,
  createRandom,
  createRegistry,
  type Dataset,
  floats,
  type Graph,
  isFloat,
  sizeOf,
  type Tensor,
} from '@espalier/core';
import { tensorSet } from '@espalier/datasets';
import { createOnnxRuntime } from '@espalier/onnxruntime';
import { inferShapes } from '@espalier/ops';
import {
  channelPruning,
  headDimensionPruning,
  headPruning,
  layerPruning,
  magnitude,
  weightPruning,
} from '@espalier/pruners';
import { decoderTiny } from '@espalier/zoo';
import { afterAll, describe, expect, it } from 'vitest';
import { portsOf } from '../model-ports.js';
import { stepContext } from '../step-context.js';
import { pruneStep } from './prune.js';

const executor = createOnnxRuntime({ threads: 1 });
afterAll(() => executor.close());

/** Two residual branches; the last hidden neuron of the first is the sum of the others. */
function residualNet(): Graph {
  const b = buildGraph();
  const x = b.input('x', 'float32', ['n', 3]);
  const w = floats([1, -2, 0.5, -1.5, 2, 1, 0.1, 0.2, 0.3], [3, 3]);
  for (let i = 0; i < 3; i++) w.data[3 * i + 2] = w.data[3 * i]! + w.data[3 * i + 1]!;
  const product = (a: string, name: string, values: readonly number[]) =>
    b.add('MatMul', [a, b.constant(name, floats(values, [3, 3]))]);
  const hidden = b.add('MatMul', [x, b.constant('w', w)]);
  const sum = b.add('Add', [x, product(hidden, 'v', [2, 1, 3, 1, 2, -3, 0.1, 0.1, 0.1])]);
  const scaled = product(b.add('Relu', [sum]), 't', [9, 0, 0, 0, 9, 0, 0, 0, 9]);
  b.output(b.add('Add', [sum, product(scaled, 'u', [1, 0, 0, 0, 1, 0, 0, 0, 1])]), 'y');
  return inferShapes(b.finish());
}

const random = createRandom(3);
const calibration: Dataset = tensorSet({
  name: 'noise',
  fields: new Map<string, Tensor>([['x', floats(Float32Array.from({ length: 90 }, random.normal), [30, 3])]]),
});

function run(graph: Graph, options: Record<string, unknown>, data: { readonly calibration?: Dataset } = {}) {
  const context = stepContext(
    {
      recipe: { espalier: 1, steps: [] },
      registry: createRegistry([
        magnitude,
        weightPruning,
        channelPruning,
        headPruning,
        headDimensionPruning,
        layerPruning,
      ]),
      executor,
      files: {} as never, // nothing here reads files
    },
    data,
    portsOf(graph),
  );
  const reference = { use: 'magnitude', with: options };
  return pruneStep.run(graph, { reference, where: 'steps[0].prune', index: 0 }, context);
}

const parameters = ({ constants }: Graph) =>
  [...constants.values()].reduce((sum, { dtype, shape }) => sum + (isFloat(dtype) ? sizeOf(shape) : 0), 0);

describe('a prune step', () => {
  it('fits layers that lost inputs where data is given, unless told not to', async () => {
    const options = { granularity: 'channel', sparsity: 1 / 3, weights: 'producers', only: ['w/*'] };
    const weightOf = async (more: object, data = { calibration }) => {
      const { graph, notes } = await run(residualNet(), { ...options, ...more }, data);
      return [
        [...(graph.constants.get('v')!.data as Float32Array)],
        notes.some(({ reason }) => reason.includes('fitted')),
      ] as const;
    };
    const [plain, untouched] = await weightOf({ reconstruct: false });
    const [fitted, said] = await weightOf({});
    expect([plain.length, untouched, said]).toEqual([6, false, true]);
    expect(fitted).not.toEqual(plain);
    expect((await weightOf({}, {} as never))[0]).toEqual(plain);
  });

  it('removes branches that change their input least, by weights where there is no data', async () => {
    const options = { granularity: 'layer', goal: 'units', sparsity: 0.5 };
    const withData = await run(residualNet(), options, { calibration });
    expect(withData.graph.constants.has('u')).toBe(false); // 9·relu(x) turns x less than a matrix does
    const byWeights = await run(residualNet(), options);
    expect(byWeights.graph.constants.has('u')).toBe(true);
    await expect(run(residualNet(), { ...options, measure: 'change' })).rejects.toMatchObject({ code: 'RECIPE_DATA' });
  });

  it('removes attention heads, or places of all heads, and nothing else', async () => {
    const graph = decoderTiny();
    for (const [granularity, width] of [
      ['head', 4 * 32],
      ['head-dimension', 4 * 32],
    ] as const) {
      const { graph: small, notes } = await run(graph, { granularity, sparsity: 0.5 });
      const pruned = notes.filter(({ outcome, value }) => outcome === 'pruned' && value !== undefined);
      expect(pruned.length).toBeGreaterThan(0);
      expect(pruned.every(({ value }) => value?.includes('attn'))).toBe(true);
      const shape = small.constants.get('transformer.h.0.attn.c_proj.weight')!.shape;
      expect(sizeOf(shape)).toBe((width * width) / 2);
      expect(parameters(small)).toBeLessThan(parameters(graph));
    }
  });

  it.each([
    [{ granularity: 'layer', multiple: 8 }, /multiple: expected granularity: channel or head or head-dimension/],
    [{ granularity: 'layer', scope: 'global' }, /scope: expected granularity: weight or channel/],
    [{ granularity: 'layer', overrides: ['a=0.5'] }, /overrides: expected granularity: weight or channel/],
    [{ granularity: 'head', measure: 'sum' }, /measure: expected granularity: layer .* found granularity: head/],
    [{ granularity: 'head-dimension', ops: ['Conv'] }, /ops: expected granularity: weight/],
    [{ granularity: 'weight', reconstruct: false }, /reconstruct: expected granularity: channel/],
    [{ granularity: '2:4', measure: 'change' }, /measure: expected granularity: layer .* found granularity: 2:4/],
    [{ granularity: 'channel', normalize: 'max' }, /normalize: expected scope: global or isomorphic/],
    [{ granularity: 'weight', scope: 'isomorphic' }, /scope: expected one of layer, global/],
    [{ granularity: 'chanel' }, /granularity.*Did you mean "channel"/],
    [{ granularity: 'channel', pruner: 'magnitude' }, /OPTION_UNKNOWN|found "pruner"/],
  ])('refuses options of another granularity: %j', async (options, message) => {
    await expect(run(residualNet(), options)).rejects.toThrow(message);
  });
});
