import { buildGraph, floats, type Graph, noEvidence } from '@espalier/core';
import { createOnnxRuntime } from '@espalier/onnxruntime';
import { inferShapes, relateAxes } from '@espalier/ops';
import { afterAll, beforeEach, expect, it, vi } from 'vitest';
import { randomFeeds } from '../../../../test/run-onnx.js';
import { magnitude } from '../magnitude.js';
import { channelPruning } from './channel.js';
import { layerPruning } from './layer.js';

vi.mock(import('@espalier/ops'), async (importOriginal) => {
  const ops = await importOriginal();
  return { ...ops, relateAxes: vi.fn(ops.relateAxes) };
});

const executor = createOnnxRuntime({ threads: 1 });
afterAll(() => executor.close());
beforeEach(() => {
  vi.mocked(relateAxes).mockClear();
});

/** x + relu(x a) c: a branch, and a group of 6 units inside it. */
function residual(): Graph {
  const b = buildGraph();
  const x = b.input('x', 'float32', ['batch', 4]);
  const wave = (shape: readonly [number, number]) =>
    floats(
      Float32Array.from({ length: shape[0] * shape[1] }, (_, i) => Math.sin(i + 1)),
      shape,
    );
  const hidden = b.add('Relu', [b.add('MatMul', [x, b.constant('a', wave([4, 6]))])]);
  b.output(b.add('Add', [x, b.add('MatMul', [hidden, b.constant('c', wave([6, 4]))])]), 'y');
  return inferShapes(b.finish());
}

it('channels relate the axes of a graph once, from the needs to the fitted layers', async () => {
  const { graph, apply } = channelPruning({ pruner: magnitude(), sparsity: 0.5 })(residual());
  const { graph: small, refine } = apply(noEvidence);
  async function* batches() {
    yield randomFeeds(graph, { seed: 1, sizes: { batch: 16 } });
  }
  const { notes } = await refine!({ executor, batches });
  expect(small.constants.get('c')!.shape).toEqual([4, 3]); // transposed, as a Gemm reads it
  expect(notes.map(({ reason }) => reason)).toEqual([expect.stringContaining('fitted to the 3 inputs left')]);
  expect(relateAxes).toHaveBeenCalledTimes(1);
});

it('residual branches do too', () => {
  layerPruning({ pruner: magnitude(), measure: 'mean', sparsity: 0.5 })(residual()).apply(noEvidence);
  expect(relateAxes).toHaveBeenCalledTimes(1);
});
