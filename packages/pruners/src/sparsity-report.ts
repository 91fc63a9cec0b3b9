import { bitsOf, byteLength, type Graph, isFloat, isPacked, sizeOf, type ValueId } from '@espalier/core';
import { elementsOf } from './pruning-keys.js';

/** The sparsity of a tensor, or of all tensors together, and its savings. */
export interface Sparsity {
  readonly elements: number;
  readonly nonZeros: number;
  /** 1 - nonZeros / elements. */
  readonly sparsity: number;
  /** Bytes of all elements, zeros included: what a dense file holds. */
  readonly denseBytes: number;
  /**
   * Bytes of a sparse ONNX tensor: nonZeros * (bytes of an element + 8), one int64 place for each value, without
   * the few dozen bytes of names and lengths around it. For float32 it is below the dense form beyond 2/3 zeros.
   */
  readonly sparseBytes: number;
  /** Bytes after compression, when a compressor was given. */
  readonly compressedBytes?: number;
}

/** The sparsity of every floating-point constant with two or more dimensions, and of all together. */
export interface SparsityReport {
  readonly tensors: ReadonlyMap<ValueId, Sparsity>;
  readonly total: Sparsity;
}

/**
 * Counts the zeros of a graph's weights, and the bytes they could save. `compress` gives the compressed form of
 * bytes, such as fflate's `gzipSync`; tensors are compressed one by one.
 */
export function sparsityReport(graph: Graph, compress?: (bytes: Uint8Array) => Uint8Array): SparsityReport {
  const tensors = new Map<ValueId, Sparsity>();
  for (const [value, tensor] of graph.constants) {
    if (!isFloat(tensor.dtype) || isPacked(tensor.dtype) || tensor.shape.length < 2) continue;
    const found = elementsOf(tensor);
    let nonZeros = 0;
    for (let i = 0; i < found.length; i++) if (found[i] !== 0) nonZeros++;
    const { buffer, byteOffset, byteLength: length } = tensor.data as Uint8Array; // floats are never strings
    tensors.set(
      value,
      summary({
        elements: sizeOf(tensor.shape),
        nonZeros,
        denseBytes: byteLength(tensor),
        sparseBytes: nonZeros * (bitsOf(tensor.dtype) / 8 + 8),
        ...(compress ? { compressedBytes: compress(new Uint8Array(buffer, byteOffset, length)).length } : {}),
      }),
    );
  }
  const sum = (pick: (each: Sparsity) => number) =>
    [...tensors.values()].reduce((total, each) => total + pick(each), 0);
  return {
    tensors,
    total: summary({
      elements: sum((each) => each.elements),
      nonZeros: sum((each) => each.nonZeros),
      denseBytes: sum((each) => each.denseBytes),
      sparseBytes: sum((each) => each.sparseBytes),
      ...(compress ? { compressedBytes: sum((each) => each.compressedBytes ?? 0) } : {}),
    }),
  };
}

const summary = (counts: Omit<Sparsity, 'sparsity'>): Sparsity => ({
  ...counts,
  sparsity: counts.elements === 0 ? 0 : 1 - counts.nonZeros / counts.elements,
});
