/**
 * Length of each symbol's code in an optimal prefix code (Huffman 1952), 0 for symbols that do not occur. A lone
 * symbol gets 1 bit, since something must be written. With the lengths alone the canonical code is fixed.
 * `[5, 2, 1, 0]` gives `[1, 2, 2, 0]`.
 */
export function huffmanLengths(counts: ArrayLike<number>): Uint8Array {
  const lengths = new Uint8Array(counts.length);
  const leaves = Array.from(counts, (count, symbol) => ({ count, symbol })).filter(({ count }) => count > 0);
  leaves.sort((a, b) => a.count - b.count || a.symbol - b.symbol);
  if (leaves.length === 1) lengths[leaves[0]!.symbol] = 1;
  if (leaves.length < 2) return lengths;
  // Merged nodes come in order of weight, so two queues stand for a heap. Node i < leaves.length is a leaf.
  const n = leaves.length;
  const weights = new Float64Array(2 * n - 1);
  leaves.forEach(({ count }, i) => {
    weights[i] = count;
  });
  const parents = new Uint32Array(2 * n - 1);
  let [leaf, merged] = [0, n];
  for (let made = n; made < 2 * n - 1; made++) {
    for (let child = 0; child < 2; child++) {
      const useLeaf = leaf < n && (merged >= made || weights[leaf]! <= weights[merged]!);
      const node = useLeaf ? leaf++ : merged++;
      weights[made]! += weights[node]!;
      parents[node] = made;
    }
  }
  const depths = new Uint8Array(2 * n - 1);
  for (let node = 2 * n - 3; node >= 0; node--) depths[node] = depths[parents[node]!]! + 1;
  for (let i = 0; i < n; i++) lengths[leaves[i]!.symbol] = depths[i]!;
  return lengths;
}
