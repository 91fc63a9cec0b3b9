import { type ProductRule, product, rows } from '../product.js';

/**
 * At every step of every sequence of X the input meets all of W and the state all of R. Element-wise gates and
 * peepholes are not counted. An LSTM with 5 steps, 100 inputs and 8 units is 5 * (32 * 100 + 32 * 8) = 17,280.
 */
const recurrent: ProductRule = {
  operands: [0, 1],
  products: ({ inputs: [x, w, r] }) => x && w && r && [product(...rows(x), ...w.axes), product(...rows(x), ...r.axes)],
};

/** Recurrent layers. */
export const recurrentProducts = {
  GRU: recurrent,
  LSTM: recurrent,
  RNN: recurrent,
  'com.microsoft::DynamicQuantizeLSTM': recurrent,
} as const satisfies Record<string, ProductRule>;
