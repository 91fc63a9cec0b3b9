import type { ValueId } from '@espalier/core';
import { blockedDomain } from './blocked-writer.js';
import type { BlockedRule } from './rules.js';

/** GlobalAveragePool of a value that is blocked already. One place per image: plain and blocked are the same. */
const globalAverage: BlockedRule = (node, w) => {
  const x = node.inputs[0] as ValueId; // it has one
  const image = w.image(x);
  if (!image || image.channels % w.block !== 0 || !w.isBlocked(x)) return false;
  w.finish(node.outputs[0], `${blockedDomain}::GlobalAveragePool`, [w.blocked(x)]);
  return true;
};

/** Poolings. */
export const blockedPooling = { GlobalAveragePool: globalAverage } as const;
