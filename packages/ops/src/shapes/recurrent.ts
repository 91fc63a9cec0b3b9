import { type Dim, intOf, textOf } from '@espalier/core';
import type { OpName } from '../op-names.js';
import { type ShapeRule, type Site, shapeOfRank, typeOf } from './site.js';

/**
 * All outputs and the last hidden (and cell) state: [sequence, directions, batch, hidden] and
 * [directions, batch, hidden], with the batch first under `layout` 1 (opset 14).
 */
const recurrent =
  (states: number): ShapeRule =>
  (site) => {
    const dtype = site.dtype(0);
    const input = shapeOfRank(site, 0, 3, 3);
    const batchFirst = intOf(site.node, 'layout', 0) === 1;
    const directions = textOf(site.node, 'direction', 'forward') === 'bidirectional' ? 2 : 1;
    const hidden = hiddenSize(site);
    const [sequence, batch] = batchFirst ? [input?.[1], input?.[0]] : [input?.[0], input?.[1]];
    const initial = site.shape(5)?.[batchFirst ? 0 : 1]; // the initial hidden state knows the batch too
    const [length, count] = [sequence ?? site.fresh(0), batch ?? initial ?? site.fresh(batchFirst ? 0 : 2)];
    const all = batchFirst ? [count, length, directions, hidden] : [length, directions, count, hidden];
    const last = batchFirst ? [count, directions, hidden] : [directions, count, hidden];
    return [typeOf(dtype, all), ...Array.from({ length: states }, () => typeOf(dtype, last))];
  };

function hiddenSize(site: Site): Dim {
  const given = intOf(site.node, 'hidden_size', undefined);
  return given ?? shapeOfRank(site, 2, 3, 3)?.[2] ?? site.fresh(3);
}

/** Recurrent layers. */
export const recurrentRules = {
  GRU: recurrent(1),
  LSTM: recurrent(2),
  RNN: recurrent(1),
  'com.microsoft::DynamicQuantizeLSTM': recurrent(2),
} as const satisfies Partial<Record<OpName, ShapeRule>>;
