import { sizeOf } from '@espalier/core';
import type { MacRule } from './mac-rule.js';

/**
 * Every step multiplies the input by W [directions, gates·H, I] and the state by R [directions, gates·H, H]:
 * MACs = steps · batch · (|W| + |R|) = |X| / I · (|W| + |R|). Element-wise gates and peepholes are not counted.
 */
const recurrent: MacRule = {
  operands: [0, 1],
  macs: ({ input }) => {
    const x = input(0);
    const weight = input(1);
    const recurrence = input(2);
    if (!x || !weight || !recurrence) return undefined;
    return sizeOf(x.slice(0, -1)) * (sizeOf(weight) + sizeOf(recurrence));
  },
};

/** Rules of the recurrent layers. */
export const recurrentMacs = {
  LSTM: recurrent,
  GRU: recurrent,
  RNN: recurrent,
  'com.microsoft::DynamicQuantizeLSTM': recurrent,
} as const satisfies Record<string, MacRule>;
