import type { Masks } from './masked.js';

/** The share of zeros in all masks together; 0 where there are none. `[[1, 0], [0, 0]]` gives 0.75. */
export function maskedShare(masks: Masks): number {
  let [zeros, elements] = [0, 0];
  for (const { data } of masks.values()) {
    elements += data.length;
    for (let i = 0; i < data.length; i++) if (data[i] === 0) zeros++;
  }
  return elements === 0 ? 0 : zeros / elements;
}
