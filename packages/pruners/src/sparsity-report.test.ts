import { buildGraph, floats, fromNumbers, noEvidence } from '@espalier/core';
import { encodeOnnx } from '@espalier/onnx';
import { gzipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { magnitude } from './magnitude.js';
import { pruneWeights } from './prune-weights.js';
import { sparsityReport } from './sparsity-report.js';

const b = buildGraph();
const x = b.input('x', 'float32', ['batch', 64]);
const wide = Float32Array.from(
  { length: 64 * 64 },
  (_, i) => Math.sin(i * 12.9898) * 43758.5453 - Math.floor(Math.sin(i * 12.9898) * 43758.5453),
);
const h = b.add('MatMul', [x, b.constant('w', floats(wide, [64, 64]))], { name: 'h' });
b.output(
  b.add(
    'Gemm',
    [
      h,
      b.constant('half', fromNumbers('float16', [64, 2], new Array(128).fill(0))),
      b.constant('bias', floats([1, 2])),
    ],
    { name: 'y' },
  ),
);
const graph = b.finish();
const bytes = (each: typeof graph, sparse: boolean) =>
  encodeOnnx(each, { sparse }).reduce((sum, chunk) => sum + chunk.length, 0);

describe('sparsityReport', () => {
  it('counts zeros, and bytes as dense, sparse and compressed files hold them', () => {
    const pruned = pruneWeights({ pruner: magnitude(), sparsity: 0.75 })(graph).apply(noEvidence).graph;
    const { tensors, total } = sparsityReport(pruned, gzipSync);
    expect([...tensors.keys()]).toEqual(['w', 'half']);
    expect(tensors.get('w')).toMatchObject({
      elements: 4096,
      nonZeros: 1024,
      sparsity: 0.75,
      denseBytes: 16384,
      sparseBytes: 12288,
    });
    expect(tensors.get('half')).toMatchObject({
      elements: 128,
      nonZeros: 0,
      sparsity: 1,
      denseBytes: 256,
      sparseBytes: 0,
    });
    expect(total).toMatchObject({ elements: 4224, nonZeros: 1024, denseBytes: 16640, sparseBytes: 12288 });
    expect(total.compressedBytes).toBeLessThan(0.5 * sparsityReport(graph, gzipSync).total.compressedBytes!);
  });

  it('agrees with the files the ONNX writer makes', () => {
    const pruned = pruneWeights({ pruner: magnitude(), sparsity: 0.9 })(graph).apply(noEvidence).graph;
    const { tensors, total } = sparsityReport(pruned);
    expect(bytes(graph, false)).toBe(bytes(pruned, false));
    const saved = bytes(pruned, false) - bytes(pruned, true);
    // Names and lengths around a sparse tensor take up to 64 bytes.
    expect(Math.abs(saved - (total.denseBytes - total.sparseBytes))).toBeLessThan(64 * tensors.size);
  });

  it('has no compressed bytes without a compressor, and no sparsity without weights', () => {
    expect(sparsityReport(graph).total.compressedBytes).toBeUndefined();
    expect(sparsityReport({ ...graph, constants: new Map() }).total.sparsity).toBe(0);
  });
});
