import { huffmanLengths } from './huffman-lengths.js';

/** The storage that the codes of a quantized tensor could take. */
export interface CodeStatistics {
  /** Share of codes that stand for zero: the sparsity that rounding makes by itself. */
  readonly zeros: number;
  /** Shannon entropy of the codes, bits each: no lossless code of single weights is shorter. */
  readonly entropyBits: number;
  /** Bits each under an optimal prefix code, without its table (a length for each of the 2ᵇ codes). */
  readonly huffmanBits: number;
}

/** Zeros, entropy -Σ p log₂ p and Huffman size of codes by their counts. `[4, 2, 2]`: 1.5 bits under both. */
export function codeStatistics(counts: Uint32Array, zeroAt: number): CodeStatistics {
  let total = 0;
  for (const count of counts) total += count;
  if (total === 0) return { zeros: 0, entropyBits: 0, huffmanBits: 0 };
  const lengths = huffmanLengths(counts);
  let [entropy, size] = [0, 0];
  counts.forEach((count, i) => {
    if (count === 0) return;
    entropy -= (count / total) * Math.log2(count / total);
    size += count * lengths[i]!;
  });
  return { zeros: (counts[zeroAt] ?? 0) / total, entropyBits: Math.max(0, entropy), huffmanBits: size / total };
}
