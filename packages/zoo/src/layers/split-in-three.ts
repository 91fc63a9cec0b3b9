import { int, type ValueId } from '@espalier/core';
import type { Model } from '../create-model.js';
import type { AttentionOptions } from './attention.js';

/** Queries, keys and values that one layer computed side by side: [rows, 3 · width] in three. */
export function splitInThree(
  model: Model,
  value: ValueId,
  { name, width }: { readonly name: string; readonly width: number },
): Pick<AttentionOptions, 'queries' | 'keys' | 'values'> {
  const [queries, keys, values] = model.addAll('Split', [value, model.longs([width, width, width])], {
    name,
    outputs: 3,
    attributes: { axis: int(1) },
  });
  return { queries: queries!, keys: keys!, values: values! }; // three outputs, as asked
}
