import { type Graph, indexOf, type Need, type ValueId } from '@espalier/core';
import { impossibleNeed } from './errors.js';

/** The value of a need that only constants can answer. @throws CALIBRATION_NEED for one that is computed or fed. */
export function onlyConstants(need: Need & { readonly value: ValueId }, graph: Graph): readonly ValueId[] {
  const { value } = need;
  if (!graph.inputs.includes(value) && !indexOf(graph).producer.has(value)) return [value];
  throw impossibleNeed(need, { expected: 'a constant', found: `"${value}", which is computed or fed` });
}
