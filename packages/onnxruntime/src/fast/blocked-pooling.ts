import type { ValueId } from '@espalier/core';
import type { BlockedRule } from './blocked-rule.js';
import { blockedDomain, firstChannels } from './blocked-writer.js';

/** GlobalAveragePool of a value that is blocked already. One place per image: plain and blocked are the same. */
const globalAverage: BlockedRule = (node, w) => {
  const x = node.inputs[0] as ValueId; // it has one
  const image = w.image(x);
  if (!image || !w.fills(image) || !w.isBlocked(x)) return false;
  const op = `${blockedDomain}::GlobalAveragePool`;
  if (image.channels === image.padded) w.emitAs(node.outputs[0], op, [w.blocked(x)]);
  else w.emitAs(node.outputs[0], 'Slice', [w.emit(op, [w.blocked(x)]), ...firstChannels(w, image, 1)]);
  return true;
};

/** Poolings. */
export const blockedPooling = { GlobalAveragePool: globalAverage } as const;
