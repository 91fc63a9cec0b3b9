import { type Graph, type Note, usesOf } from '@espalier/core';
import type { Masks } from '../masks/masked.js';
import { maskedShare } from '../masks/masked-share.js';

/** A note for each masked weight, and one about the limits of zeros. */
export function sparsityNotes(graph: Graph, masks: Masks): readonly Note[] {
  const layers = [...masks].map(([value, mask]): Note => {
    const reader = usesOf(graph, value)[0]?.node;
    const sparsity = maskedShare(new Map([[value, mask]]));
    const elements = mask.data.length;
    const zeros = Math.round(sparsity * elements);
    return {
      ...(reader ? { node: reader.id, op: reader.op } : {}),
      value,
      outcome: zeros > 0 ? 'pruned' : 'kept',
      reason: `${zeros} of ${elements} weights (${(100 * sparsity).toFixed(1)} %) are zero after training.`,
      details: { sparsity, elements, zeros },
    };
  });
  const empty = layers.filter(({ details }) => details?.sparsity === 1);
  return [
    ...layers,
    ...empty.map(
      ({ details: _, ...layer }): Note => ({
        ...layer,
        outcome: 'warning',
        reason: 'Every weight of this layer is zero: it passes nothing on.',
      }),
    ),
    masks.size === 0
      ? { outcome: 'warning', reason: 'No weight that can be pruned was found.' }
      : { outcome: 'warning', reason: plainTruth },
  ];
}

const plainTruth =
  'Zeros of single weights do not shrink a dense file and do not make a dense runtime faster: write sparse tensors, or compress the file, to save bytes.';
