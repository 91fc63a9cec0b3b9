import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { calibrate } from '@espalier/calibration';
import { fromNumbers, type Graph, int, noEvidence, scalar, sizeOf, type Tensor, tensor } from '@espalier/core';
import { decodeOnnx } from '@espalier/onnx';
import { createOnnxRuntime } from '@espalier/onnxruntime';
import { inferShapes } from '@espalier/ops';
import { simplify } from '@espalier/passes';
import { dynamicQuantizer, minmax, staticQuantizer, weightsQuantizer } from '@espalier/quantizers';
import { describe, expect, it } from 'vitest';
import { modelsFolder } from '../../../../test/fixtures.js';
import { exactGroups, maskedThenCut, netBuilder, shownGroups } from '../../../../test/masked-then-cut.js';
import { randomFeeds, runOnnx } from '../../../../test/run-onnx.js';
import { magnitude } from '../magnitude.js';
import { channelPruning } from '../prunings/channel.js';
import type { Removals } from './removal.js';

const half = (graph: Graph): Removals =>
  new Map(exactGroups(graph).map(({ id, units }) => [id, Array.from({ length: units >> 1 }, (_, i) => 2 * i + 1)]));

/** Statically quantized with ranges of a few random images. */
async function staticallyQuantized(graph: Graph): Promise<Graph> {
  const executor = createOnnxRuntime({ threads: 1 });
  try {
    const plan = staticQuantizer({ activations: { observer: minmax() } })(graph);
    async function* batches() {
      for (const seed of [1, 2]) yield randomFeeds(graph, { seed });
    }
    const evidence = await calibrate(plan.graph, plan.needs, { executor, batches });
    return simplify(plan.apply(evidence).graph);
  } finally {
    await executor.close();
  }
}

const bytes = (shape: readonly number[], name: number): Tensor<'int8'> =>
  tensor(
    'int8',
    shape,
    Int8Array.from({ length: sizeOf(shape) }, (_, i) => ((37 * i + 11 * name) % 121) - 60),
  );

describe('quantized graphs', () => {
  const path = join(modelsFolder() ?? '', 'resnet20-cifar10.onnx');
  const missing = !existsSync(path);
  it.skipIf(missing)(
    `finds the channels of a statically quantized ResNet-20, scales and biases included${missing ? ' (skipped: no model file)' : ''}`,
    { timeout: 60_000 },
    async () => {
      const float = simplify(decodeOnnx(readFileSync(path)));
      const graph = await staticallyQuantized(float);
      expect(graph.nodes.filter(({ op }) => op === 'QuantizeLinear').length).toBeGreaterThan(20);
      const groups = exactGroups(graph);
      const widths = (of: Graph) =>
        exactGroups(of)
          .map(({ units }) => units)
          .sort();
      expect(widths(graph)).toEqual(widths(float));
      const [first] = groups;
      const kinds = new Set(first!.slices.map(({ value }) => graph.constants.get(value)!.dtype));
      expect([...kinds].sort()).toEqual(['float32', 'int32', 'int8']);
      const { difference, changed, small } = await maskedThenCut(graph, { removals: half(graph) });
      expect(difference).toBe(0);
      expect(changed).toBeGreaterThan(0.1);
      expect(small.constants.get(first!.slices[0]!.value)!.shape[0]).toBe(first!.units / 2);
      const { notes, graph: half50 } = channelPruning({ pruner: magnitude(), goal: 'macs', sparsity: 0.5 })(
        graph,
      ).apply(noEvidence);
      expect(notes.at(-1)?.reason).toMatch(
        /^[345]\d\.\d % of the parameters and (49|50)\.\d % of the multiply-adds are gone/,
      );
      const feeds = randomFeeds(graph);
      expect((await runOnnx(half50, feeds)).get('logits')!.shape).toEqual([2, 10]);
    },
  );

  it('writes the code of zero where the zero point is another', async () => {
    const b = netBuilder();
    const zeros = b.constant('zeros', fromNumbers('int8', [6], [3, -7, 0, 5, -2, 9]));
    const weight = b.add(
      'DequantizeLinear',
      [
        b.constant('w', bytes([6, 3, 1, 1], 1)),
        b.constant('s', tensor('float32', [6], new Float32Array(6).fill(0.01))),
        zeros,
      ],
      { attributes: { axis: int(0) } },
    );
    const x = b.add('Conv', [b.input('x', 'float32', [1, 3, 4, 4]), weight]);
    b.output(b.add('Conv', [b.add('Relu', [x]), b.weight('v', 2, 6, 1, 1)]), 'y');
    const graph = b.made();
    expect(shownGroups(graph)).toEqual(['w/0: 6 of s/0, v/1, w/0, zeros/0']);
    const { difference, changed } = await maskedThenCut(graph, { removals: new Map([['w/0', [0, 3, 5]]]) });
    expect(difference).toBeLessThan(1e-6);
    expect(changed).toBeGreaterThan(0.01);
  });

  it('cuts weights of four bits in blocks: single columns, and whole blocks of rows', async () => {
    for (const form of ['matmulnbits', 'qdq'] as const) {
      for (const symmetric of [true, false]) {
        const b = netBuilder(21);
        const x = b.add('MatMul', [b.input('x', 'float32', [2, 8]), b.weight('a', 8, 128)]);
        const hidden = b.add('Relu', [b.add('MatMul', [x, b.weight('m', 128, 48)])]);
        b.output(b.add('MatMul', [hidden, b.weight('z', 48, 5)]), 'y');
        const graph = simplify(
          weightsQuantizer({ form, symmetric, block: 16, smallest: 2048 })(b.made()).apply(undefined as never).graph,
        );
        const groups = exactGroups(graph);
        const blocks = groups.find(({ id }) => id.startsWith('a/'))!;
        expect(blocks.units, form).toBe(form === 'qdq' || symmetric ? 8 : 4);
        expect(groups.some(({ units, slices }) => units === 48 && slices.some(({ value }) => value === 'z'))).toBe(
          true,
        );
        const { difference, changed } = await maskedThenCut(graph);
        expect(difference).toBeLessThan(1e-5);
        expect(changed).toBeGreaterThan(1e-3);
      }
    }
  });

  it('goes through dynamic quantization', async () => {
    const b = netBuilder();
    const x = b.add('Relu', [b.add('MatMul', [b.input('x', 'float32', [2, 8]), b.weight('a', 8, 24)])]);
    const hidden = b.add('Relu', [b.add('MatMul', [x, b.weight('m', 24, 16)])]);
    b.output(b.add('MatMul', [hidden, b.weight('z', 16, 5)]), 'y');
    const graph = inferShapes(dynamicQuantizer()(b.made()).apply(undefined as never).graph);
    expect(graph.nodes.some(({ op }) => op === 'MatMulInteger')).toBe(true);
    expect(
      exactGroups(graph)
        .map(({ units }) => units)
        .sort(),
    ).toEqual([16, 24]);
    const { difference, changed } = await maskedThenCut(graph);
    expect(difference).toBeLessThan(1e-6);
    expect(changed).toBeGreaterThan(1e-3);
  });

  it('cuts ops that work on codes', async () => {
    const b = netBuilder();
    const [s, z] = [b.constant('s', scalar(0.05)), b.constant('z', fromNumbers('uint8', [], [128]))];
    const zero = b.constant('zero', fromNumbers('int8', [6], [4, 0, -3, 1, 2, 0]));
    const scales = b.constant(
      'scales',
      tensor(
        'float32',
        [6],
        Float32Array.of(1, 2, 3, 4, 5, 6).map((each) => each / 200),
      ),
    );
    const bias = b.constant('bias', fromNumbers('int32', [6], [900, -400, 700, 20, -90, 300]));
    const x = b.add('QuantizeLinear', [b.input('x', 'float32', [1, 3, 4, 4]), s, z]);
    const conv = b.add('QLinearConv', [x, s, z, b.constant('w', bytes([6, 3, 1, 1], 2)), scales, zero, s, z, bias]);
    const ws = [b.constant('ws', scalar(0.01)), b.constant('wz', fromNumbers('int8', [], [0]))];
    const other = b.add('QLinearConv', [conv, s, z, b.constant('w2', bytes([6, 6, 1, 1], 3)), ...ws, s, z]);
    const sum = b.add('com.microsoft::QLinearAdd', [conv, s, z, other, s, z, s, z]);
    const joined = b.add('com.microsoft::QLinearConcat', [s, z, sum, s, z, conv, s, z], {
      attributes: { axis: int(1) },
    });
    const pooled = b.add('com.microsoft::QLinearGlobalAveragePool', [joined, s, z, s, z]);
    const flat = b.add('Flatten', [pooled]);
    const y = b.add('QLinearMatMul', [flat, s, z, b.constant('v', bytes([12, 5], 4)), ...ws, s, z]);
    b.output(b.add('DequantizeLinear', [y, s, z]), 'y');
    const graph = b.made();
    expect(shownGroups(graph)).toEqual(['w/0: 6 of bias/0, scales/0, v/0 x2, w/0, w2/0, w2/1, zero/0']);
    const { difference, changed } = await maskedThenCut(graph, { removals: new Map([['w/0', [0, 2, 5]]]) });
    expect(difference).toBe(0);
    expect(changed).toBeGreaterThan(0.01);
  });
});
